/** How kubectl words what went wrong. */
import { ApiError, NoMatch } from '../api';
import { UsageError } from '../arguments';
import { EtcdError } from '../etcd';
import { FormatError } from '../printers';
import { SelectorError } from '../selectors';
import { Failed } from './call';

const USAGE = [UsageError, NoMatch, FormatError, SelectorError];

/** How kubectl words a failure; rethrows what is not one. */
export function messageOf(error: unknown): string {
  if (USAGE.some((kind) => error instanceof kind)) {
    return `error: ${error instanceof Error ? error.message : error}`;
  }
  if (error instanceof Failed) return error.message;
  if (error instanceof ApiError) return serverError(error);
  if (error instanceof EtcdError) return `Error from server: ${error.message}`;
  throw error;
}

function serverError({ reason, message }: ApiError): string {
  return reason === 'Invalid' ? `The ${message}` : `Error from server (${reason}): ${message}`;
}
