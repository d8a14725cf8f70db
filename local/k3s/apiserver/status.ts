/** `Status`, the API server's answer when there is no object to answer with. */
import type { HttpResponse } from '../../network';
import { ApiError } from '../api';

const CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  AlreadyExists: 409,
  Expired: 410,
  Invalid: 422,
  InternalError: 500,
  ServiceUnavailable: 503,
} as const;

export type Reason = keyof typeof CODES;

export const JSON_TYPE = { 'content-type': 'application/json' };

export function statusObject(reason: Reason, message: string, details?: Record<string, unknown>) {
  const code = CODES[reason];
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details && { details }),
    code,
  };
}

export function failure(reason: Reason, message: string, details?: Record<string, unknown>): HttpResponse {
  const body = statusObject(reason, message, details);
  return { status: body.code, headers: JSON_TYPE, body: JSON.stringify(body) };
}

/** What the API refuses; rethrows what is no refusal. */
export function refusal(error: unknown): HttpResponse {
  if (error instanceof ApiError) return failure(error.reason, error.message);
  throw error;
}

/** 200 with an object. */
export function success(object: unknown): HttpResponse {
  return { status: 200, headers: JSON_TYPE, body: `${JSON.stringify(object)}\n` };
}
