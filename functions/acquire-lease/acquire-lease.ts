/** The first state of every workflow: checks what the caller asked for, then takes the lease, so that only one runs. */
import type * as z from 'zod/mini';
import type { ClusterRecords } from '../aws/cluster-record';
import type { Executions } from '../aws/executions';
import type { CommandOnInstance } from '../aws/in-flight';
import type { Lease, Leases } from '../aws/lease';
import { InvalidInput } from '../cluster/errors';
import { leaseHolder } from '../cluster/names';
import { mayHeal } from '../cluster/verdict';
import type { Logger } from '../runtime/log';
import { parse } from '../runtime/parse';
import { ClusterInput, DeleteInput, type Input, type Output } from './contract';

/** Between the two looks that must both find the holder not running: longer than any of its functions may still run. */
const STALE_SECONDS = 60;
/** A command takes some seconds to be cancelled. */
const CANCEL_SECONDS = 15;
/** Others may take or leave the lease between our read and our write; each round looks again. */
const ROUNDS = 5;

export interface Deps {
  cluster: string;
  leases: Pick<Leases, 'read' | 'acquire' | 'markStale' | 'takeOver' | 'release'>;
  records: Pick<ClusterRecords, 'read' | 'want'>;
  executions: Pick<Executions, 'isRunning'>;
  /** Cancels what the holder's commands still do on nodes, and names it. */
  cancelInFlight(lease: Lease): Promise<CommandOnInstance[]>;
  now(): number;
  uuid(): string;
}

type Answer = z.infer<typeof Output>;
type Refusal = Exclude<Answer, { status: 'acquired' }>;

/** @throws InvalidInput, naming every field at fault */
export async function acquireLease(
  { workflow, execution, input }: z.infer<typeof Input>,
  deps: Deps,
  log: Logger,
): Promise<Answer> {
  const request = workflow === 'cluster' ? clusterRequest(input) : deleteRequest(input, deps.cluster);
  log.info('acquiring lease', request);
  const refusal = await take(execution, workflow, deps);
  if (refusal) {
    log.info(`lease ${refusal.status}`, { reason: refusal.message });
    return refusal;
  }
  const objection = workflow === 'cluster' ? await admit(request.origin, deps) : null;
  if (objection) {
    await deps.leases.release(execution);
    log.info('lease declined', { reason: objection });
    return { status: 'declined', message: objection };
  }
  log.info('acquired lease', request);
  return { status: 'acquired', ...request };
}

interface Request {
  reason: string;
  origin: 'person' | 'healer';
}

function clusterRequest(input: unknown): Request {
  const { reason, origin = 'person' } = checked(ClusterInput, input);
  return { reason: reason ?? 'started by a person', origin };
}

function deleteRequest(input: unknown, cluster: string): Request {
  const { reason, confirm } = checked(DeleteInput, input);
  if (confirm !== cluster) {
    throw new InvalidInput(`confirm: must be the name of the cluster, "${cluster}", is "${confirm}"`);
  }
  return { reason: reason ?? 'deletion started by a person', origin: 'person' };
}

function checked<T>(schema: z.ZodMiniType<T>, input: unknown): T {
  const parsed = parse(schema, input, 'input');
  if ('faults' in parsed) throw new InvalidInput(`the execution input is not valid: ${parsed.faults.join('; ')}`);
  return parsed.value;
}

/** Null: the lease is ours. */
async function take(
  execution: z.infer<typeof Input>['execution'],
  workflow: string,
  deps: Deps,
): Promise<Refusal | null> {
  const { leases, executions, now } = deps;
  for (let round = 0; round < ROUNDS; round++) {
    const lease = await leases.read();
    if (lease && leaseHolder(lease.holder) === leaseHolder(execution)) return null;
    if (!lease) {
      await leases.acquire(execution, workflow, now());
    } else if (await executions.isRunning(lease.holder)) {
      const holder = lease.holder.id;
      return { status: 'held', holder, message: `${holder} is running and holds the lease` };
    } else if (lease.staleSince === null) {
      await leases.markStale(lease.holder, now());
    } else {
      const wait = Math.ceil((lease.staleSince + STALE_SECONDS * 1000 - now()) / 1000);
      if (wait > 0) return stale(lease, wait, 'does not run any more; asking again before its lease is taken over');
      const running = await deps.cancelInFlight(lease);
      if (running.length > 0) {
        const commands = running.map(({ commandId, instanceId }) => `${commandId} on ${instanceId}`).join(', ');
        return stale(lease, CANCEL_SECONDS, `left commands running, which are being cancelled: ${commands}`);
      }
      await leases.takeOver(lease, execution, workflow, now());
    }
  }
  throw new Error(`the lease changed hands ${ROUNDS} times while it was being acquired`);
}

function stale({ holder }: Lease, recheckAfterSeconds: number, what: string): Refusal {
  return { status: 'stale', holder: holder.id, recheckAfterSeconds, message: `${holder.id} ${what}` };
}

/**
 * Under the lease, because a deletion changes the record only under the lease. A person's execution is what makes a
 * cluster wanted; the healer wants only what a person wanted (safety rule 14). Null: go on.
 */
async function admit(origin: Request['origin'], { records, uuid }: Deps): Promise<string | null> {
  if (origin === 'person') {
    await records.want('present', uuid());
    return null;
  }
  const record = await records.read();
  if (!record) return 'nobody has created this cluster yet';
  const { allowed, reason } = mayHeal(record);
  return allowed ? null : reason;
}
