/**
 * Everything a step takes from the world around it. In Lambda it is this process; in simulation it is virtual time,
 * seeded randomness and the embedded AWS as a request handler, so that the same wiring runs in both.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientSettings } from '../aws/client';

export interface Platform {
  /** The environment as it is: unparsed. */
  env: Record<string, string | undefined>;
  /** Epoch ms. */
  now(): number;
  sleep(ms: number): Promise<void>;
  uuid(): string;
  /** Merged into the settings of every AWS client. */
  client: ClientSettings;
  /** Sends one HTTP request to something that is no AWS service. */
  fetch(
    url: string,
    request: { method: string; body: string; headers?: Record<string, string> },
  ): Promise<{ ok: boolean; status: number }>;
  /** Takes one line of the log. */
  write(line: string): void;
}

/** The platform of a Lambda function. Region, credentials and endpoint come from the environment, as the SDK reads it. */
export function lambdaPlatform(): Platform {
  return {
    env: process.env,
    now: Date.now,
    sleep: (ms) => delay(ms),
    uuid: randomUUID,
    client: {},
    fetch,
    // Not `console`: Lambda prefixes its lines with tabs and ids, and structured lines must stay JSON.
    write: (line) => process.stdout.write(`${line}\n`),
  };
}
