import { number, switched, text } from '../arguments';

export const FLAGS = {
  once: switched('stop when the cluster is Ready and traffic was answered (exit 0), or on failure (exit 1)'),
  json: switched('print one JSON object as the last line'),
  input: text<Record<string, unknown>>('JSON', 'input of the execution (default {})', {}, (typed) => {
    let value: unknown;
    try {
      value = JSON.parse(typed);
    } catch {
      throw new Error('must be JSON');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('must be a JSON object');
    return value as Record<string, unknown>;
  }),
  timeScale: number('N', 'AWS seconds per second', 20, { from: 0.1, to: 200 }),
  port: number('N', 'port of the AWS endpoint; 0 = any free port, also for the listeners', 4566, {
    from: 0,
    to: 65535,
    integer: true,
  }),
};
