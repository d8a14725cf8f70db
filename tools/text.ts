/** Breaks text for people into lines. */

/**
 * Breaks a text at its spaces so that no line is longer than `width`, unless one word is.
 * @param indent before every line but the first
 */
export function wrap(text: string, width: number, indent = ''): string {
  if (text.length <= width) return text;
  // The text's own indentation stays: only what stands between its words is a place to break.
  const [, start = '', rest = ''] = /^(\s*)(.*)$/s.exec(text) ?? [];
  const lines: string[] = [];
  let line = start;
  for (const word of rest.split(/ (?=\S)/)) {
    const longer = line.trim() === '' ? line + word : `${line} ${word}`;
    if (longer.length <= width || line.trim() === '') {
      line = longer;
      continue;
    }
    lines.push(line.trimEnd());
    line = indent + word;
  }
  return [...lines, line].join('\n');
}

/**
 * A note to the right of a text, at the same column in every line where there is room; below it where there is none.
 */
export function withNote(text: string, note: string | undefined, width: number, indent = ''): string {
  if (note === undefined) return wrap(text, width, indent);
  const column = Math.max(60, Math.min(92, width - 50));
  const side = `${text.padEnd(column)}  ${note}`;
  return side.length <= width ? side : `${wrap(text, width, indent)}\n${wrap(indent + note, width, indent)}`;
}
