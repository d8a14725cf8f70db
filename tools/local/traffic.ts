/** A client that asks the demo for its page again and again through the load balancer. */
import { type ClientRequest, get } from 'node:http';
import type { Tally } from './tally';

/** Real time between two requests, and how long one may take, ms. */
const INTERVAL_MS = 200;
const TIMEOUT_MS = 1500;
/** Requests that wait at the same time at most. */
const LIMIT = 12;

/** How the demo is asked, and what it must answer. */
export interface Visit {
  headers: Record<string, string>;
  status: number;
}

/** Under its domain, where it has one. Without the demo, Traefik's own answer proves that traffic passes. */
export function visitOf({ domain, demo }: { domain?: string; demo: { enabled: boolean } }): Visit {
  return { headers: domain === undefined ? {} : { host: domain }, status: demo.enabled ? 200 : 404 };
}

/**
 * Sends requests until it is stopped.
 * @param now AWS time, epoch ms
 * @param tally counts them
 * @returns ends it, with the requests that are on their way
 */
export function sendTraffic(url: string, { headers, status }: Visit, now: () => number, tally: Tally): () => void {
  const open = new Set<ClientRequest>();
  let stopped = false;
  const ask = () => {
    if (open.size >= LIMIT) return;
    const at = now();
    let reason: string | undefined;
    // On a connection of its own: one that is kept would never meet another target.
    const request = get(url, { agent: false, timeout: TIMEOUT_MS, headers }, (response) => {
      if (response.statusCode !== status) reason = `answered ${response.statusCode}`;
      response.on('error', (error) => {
        reason = error.message;
      });
      response.resume();
    });
    open.add(request);
    request.on('timeout', () => {
      reason = 'no answer';
      request.destroy();
    });
    request.on('error', (error) => {
      reason ??= error.message;
    });
    request.on('close', () => {
      open.delete(request);
      if (!stopped) tally.count(reason === undefined ? undefined : { at, reason });
    });
  };
  const timer = setInterval(ask, INTERVAL_MS);
  return () => {
    stopped = true;
    clearInterval(timer);
    for (const request of open) request.destroy();
  };
}
