/** Structured log: one JSON object per line. Messages end in `-ing` before acting and are in the past tense after. */

export type Level = 'info' | 'warn' | 'error';

/** Names, ids and reasons; never a secret, never a whole input or environment. */
export type Fields = object;

export interface Logger {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A logger that adds these fields to each of its lines. */
  with(fields: Fields): Logger;
}

export function logger(write: (line: string) => void, now: () => number, bound: Fields = {}): Logger {
  const line = (level: Level) => (message: string, fields?: Fields) =>
    write(JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...bound, ...fields }));
  return {
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    with: (fields) => logger(write, now, { ...bound, ...fields }),
  };
}
