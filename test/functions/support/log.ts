import { type Logger, logger } from '../../../functions/runtime/log';

/** A logger whose lines are kept. */
export function keptLog(): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  return {
    lines,
    log: logger(
      (line) => lines.push(JSON.parse(line)),
      () => 0,
    ),
  };
}

/** A logger for tests that do not care. */
export const silent: Logger = logger(
  () => {},
  () => 0,
);
