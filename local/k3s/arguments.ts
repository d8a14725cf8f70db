/** Command lines as the modelled programs take them: long and short flags, anything unknown refused by name. */

/** What was not understood; the program prints it and exits. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** `true`: takes no value, unless one is given with `=`. `false`: takes a value. */
export type Flags = Record<string, boolean>;

export interface Arguments {
  positional: string[];
  /** The last value of each flag that was given; `'true'` for one without a value. */
  flags: Map<string, string>;
}

/**
 * @param flags long names, and whether they stand alone
 * @param short one-letter names of long ones
 */
export function parseArguments(args: readonly string[], flags: Flags, short: Record<string, string> = {}): Arguments {
  const positional: string[] = [];
  const found = new Map<string, string>();
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === '-' || !arg.startsWith('-')) {
      positional.push(arg);
      continue;
    }
    const [, dashes = '', typed = '', given] = /^(--?)([^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    const name = dashes === '-' ? short[typed] : typed;
    const alone = name === undefined ? undefined : flags[name];
    if (name === undefined || alone === undefined) throw new UsageError(`unknown flag: ${arg}`);
    const value = given ?? (alone ? 'true' : args[++index]);
    if (value === undefined) throw new UsageError(`flag needs an argument: ${arg}`);
    found.set(name, value);
  }
  return { positional, flags: found };
}

/** Seconds of `5`, `5s`, `2m`, `1h`; 0 means no limit. */
export function seconds(text: string): number {
  const match = /^(\d+)(s|m|h)?$/.exec(text);
  if (!match) throw new UsageError(`invalid duration "${text}"`);
  return Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] ?? 's']!;
}
