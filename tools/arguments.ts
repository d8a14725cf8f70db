/** Command lines of the tools: one declaration gives the parsing, the refusals and the help text. */
import { parseArgs } from 'node:util';

/** Something the person typed that cannot be carried out: one clear line, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

interface Flag<T> {
  /** Shown in the help; a flag without a placeholder takes no value. */
  placeholder?: string;
  help: string;
  /** Turns the text into the value; throws a plain message about it. */
  parse(text: string): T;
  initial: T;
}

export const switched = (help: string): Flag<boolean> => ({ help, parse: () => true, initial: false });

/** A number within limits, both included. */
export function number(
  placeholder: string,
  help: string,
  initial: number,
  { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, integer = false } = {},
): Flag<number> {
  return {
    placeholder,
    help: `${help} (default ${initial})`,
    initial,
    parse: (text) => {
      const value = Number(text);
      const valid = text.trim() !== '' && value >= from && value <= to && (!integer || Number.isInteger(value));
      if (valid) return value;
      const kind = integer ? 'a whole number' : 'a number';
      throw new Error(`must be ${kind}${Number.isFinite(to) ? ` from ${from} to ${to}` : ` of at least ${from}`}`);
    },
  };
}

export function text<T>(placeholder: string, help: string, initial: T, parse: (text: string) => T): Flag<T> {
  return { placeholder, help, initial, parse };
}

/** A text that matches; undefined when it was not typed. */
export function matching(placeholder: string, help: string, pattern: RegExp, what: string): Flag<string | undefined> {
  return text<string | undefined>(placeholder, help, undefined, (typed) => {
    if (pattern.test(typed)) return typed;
    throw new Error(`must be ${what}`);
  });
}

/** A TCP port; undefined when it was not typed. */
export function port(help: string): Flag<number | undefined> {
  const { parse } = number('N', '', 0, { from: 1, to: 65535, integer: true });
  return text<number | undefined>('N', help, undefined, parse);
}

/** Declared in camelCase and typed in kebab-case. */
export type Flags = Record<string, Flag<unknown>>;

export type Values<F extends Flags> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

/** What people type, and what its help says of it. */
export interface Tool<F extends Flags> {
  /** `npm run <name>` */
  name: string;
  purpose: string;
  flags: F;
  /** A tool without takes no words besides its flags. */
  words?: { placeholder: string; help: string };
}

export interface Line<F extends Flags> {
  help: boolean;
  flags: Values<F>;
  words: string[];
}

/**
 * Parses a command line: flags and words in any order. Every tool has the flag `--help`.
 * @throws UsageError naming everything that is wrong, a line each.
 */
export function parseLine<F extends Flags>(
  { flags, words }: Pick<Tool<F>, 'flags' | 'words'>,
  line: string[],
): Line<F> {
  const known: Flags = { ...flags, help: HELP };
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(known).map(([name, { initial }]) => [name, initial]),
  );
  const typed = split(line, known);
  const faults = [...typed.faults];
  for (const [name, text] of typed.values) {
    try {
      values[name] = known[name]!.parse(text);
    } catch (error) {
      faults.push(`--${kebab(name)} ${error instanceof Error ? error.message : error}, is ${text}`);
    }
  }
  if (words === undefined) faults.push(...typed.words.map((word) => `${word} is no flag; ${SEE_HELP}`));
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  const { help, ...rest } = values;
  return { help: help === true, flags: rest as Values<F>, words: typed.words };
}

const HELP = switched('this text');
const SEE_HELP = '--help lists the flags';

/** What stands in a line: values by the flag's declared name, the last one wins; words; and what cannot be told apart. */
function split(line: string[], known: Flags): { values: Map<string, string>; words: string[]; faults: string[] } {
  const names = new Map(Object.keys(known).map((name) => [kebab(name), name]));
  const takesValue = (name: string) => known[name]?.placeholder !== undefined;
  const options = Object.fromEntries(
    [...names].map(([typed, name]) => [typed, { type: takesValue(name) ? ('string' as const) : ('boolean' as const) }]),
  );
  // Strict, it would end at the first fault, in words of its own.
  const { tokens } = parseArgs({ args: line, options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string>();
  const words: string[] = [];
  const faults: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value);
    if (token.kind !== 'option') continue;
    const { rawName, value, inlineValue } = token;
    const name = names.get(token.name);
    if (name === undefined) {
      faults.push(`there is no flag ${rawName}; ${SEE_HELP}`);
    } else if (!takesValue(name)) {
      if (value === undefined) values.set(name, '');
      else faults.push(`${rawName} takes no value, is ${value}`);
    } else if (value === undefined || (!inlineValue && looksLikeFlag(value))) {
      faults.push(`${rawName} must be followed by its value, ${known[name]?.placeholder}`);
    } else {
      values.set(name, value);
    }
  }
  return { values, words, faults };
}

/** What looks like a flag is one, and no value: that was forgotten. A negative number is a value. */
const looksLikeFlag = (text: string) => /^-[^\d.]/.test(text);

/** What `--help` prints. */
export function helpText({ name, purpose, flags, words }: Tool<Flags>): string {
  const rows = Object.entries(flags).map(([name, flag]): [string, string] => [
    `--${kebab(name)}${flag.placeholder ? ` ${flag.placeholder}` : ''}`,
    flag.help,
  ]);
  rows.push(['--help', HELP.help]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const described = rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  const usage = `usage: npm run ${name} -- ${words ? `${words.placeholder} ` : ''}[flags]`;
  return [purpose, '', usage, '', ...described, ...(words ? ['', words.help] : [])].join('\n');
}

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
