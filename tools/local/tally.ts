/** Counts what becomes of requests, and says what that means. Pure. */
import { duration } from './screen';

export interface Failure {
  /** When the request was sent, AWS time, epoch ms. */
  at: number;
  reason: string;
}

/** Counts since the trouble began; while there is none, since it was over. */
export class Tally {
  requests = 0;
  failures: Failure[] = [];
  /** Whether there is trouble. */
  began = false;

  /** Trouble begins, unless it has: what is counted is counted from here. */
  begin(): void {
    if (this.began) return;
    this.reset();
    this.began = true;
  }

  /** One request has ended; a failure may be the first that anybody notices of the trouble. */
  count(failure?: Failure): void {
    if (failure) this.begin();
    this.requests++;
    if (failure) this.failures.push(failure);
  }

  /** All is well. */
  reset(): void {
    this.began = false;
    this.requests = 0;
    this.failures = [];
  }
}

type Counted = Pick<Tally, 'requests' | 'failures'>;

/** `traffic: 2 of 3 targets, 0 failed requests` */
export function trafficNow(healthy: number, servers: number, { failures }: Pick<Counted, 'failures'>): string {
  const failed = `${failures.length} failed request${failures.length === 1 ? '' : 's'}`;
  return `traffic: ${healthy} of ${servers} targets, ${failed}`;
}

/**
 * What an incident meant for clients.
 * @param takenOutAt when the load balancer stopped to send new connections to a target, epoch ms; null: it did not
 */
export function trafficDuring({ requests, failures }: Counted, takenOutAt: number | null): string {
  if (failures.length === 0) return `traffic: none of ${requests} requests failed meanwhile`;
  const times = failures.map(({ at }) => at);
  const spread = duration(Math.max(...times) - Math.min(...times));
  const failed = `traffic: ${failures.length} of ${requests} requests failed meanwhile (${reasons(failures)}), within ${spread}`;
  if (takenOutAt === null) return failed;
  const late = times.filter((at) => at > takenOutAt).length;
  const after = late === 0 ? 'none' : `${late} of them`;
  return `${failed}; ${after} after the load balancer had taken the target out at ${timeOfDay(takenOutAt)}`;
}

/** `9 answered 504, 4 no answer` */
function reasons(failures: readonly Failure[]): string {
  const counts = new Map<string, number>();
  for (const { reason } of failures) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
}

/** UTC. */
export const timeOfDay = (at: number) => new Date(at).toISOString().slice(11, 19);
