/** The project's texts, and what in them can be checked. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(__dirname, '../..');

/** Paths of the texts for users and operators, from the root. */
export const TEXTS: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'tcpecho/README.md',
  ...['docs', 'docs/adr'].flatMap((folder) =>
    readdirSync(join(ROOT, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

export const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** What stands in fences, by line, continuation lines joined. */
export function fenced(text: string): { language: string; lines: string[] }[] {
  return [...text.matchAll(/^( *)```(\w*)\n(.*?)^ *```$/gms)].map(([, indent = '', language = '', body = '']) => ({
    language,
    lines: body
      .replaceAll(`\n${indent}`, '\n')
      .replaceAll(/\\\n\s*/g, ' ')
      .split('\n')
      .map((line) => line.trim()),
  }));
}

/** What stands in backticks, outside of fences. */
export function spans(text: string): string[] {
  const prose = text.replaceAll(/^ *```.*?^ *```$/gms, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
}

/** Everything that a reader would type. */
export function commands(text: string): string[] {
  return [...fenced(text).flatMap(({ lines }) => lines), ...spans(text)];
}

/** The anchors that GitHub makes of headings. */
export function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
