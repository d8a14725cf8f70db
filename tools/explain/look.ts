/** Looks at a cluster through the adapters of the functions, configured as the deployed function is. Changes nothing. */
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type * as z from 'zod/mini';
import { Env } from '../../functions/assess-cluster/contract';
import { ClusterRecords } from '../../functions/aws/cluster-record';
import { Commands } from '../../functions/aws/commands';
import { isNotFound } from '../../functions/aws/errors';
import { Executions } from '../../functions/aws/executions';
import { Healer } from '../../functions/aws/healer';
import { Instances } from '../../functions/aws/instances';
import { type Lease, Leases } from '../../functions/aws/lease';
import { observe } from '../../functions/aws/observe';
import { Slots } from '../../functions/aws/slots';
import { Table } from '../../functions/aws/table';
import { Targets } from '../../functions/aws/targets';
import type { Observation } from '../../functions/cluster/observation';
import type { Healing, Holder } from '../../functions/cluster/triage';
import { parse } from '../../functions/runtime/parse';
import { ToolError } from '../run';
import type { Target } from '../target';

export type Configuration = z.infer<typeof Env>;

/**
 * The environment of the deployed `assess-cluster`: it names the table, the target groups and the documents, so that
 * this looks at what the function looks at.
 * @throws ToolError when the stack is not there, or not of this version
 */
export async function readConfiguration({ client, stack, description }: Target): Promise<Configuration> {
  const FunctionName = `${stack}-assess-cluster`;
  const environment = await new LambdaClient(client).send(new GetFunctionCommand({ FunctionName })).then(
    ({ Configuration }) => Configuration?.Environment?.Variables ?? {},
    (error: unknown) => {
      if (!isNotFound(error)) throw error;
      throw new ToolError(
        `${description} has no function ${FunctionName}: is the stack deployed? --stack names another`,
      );
    },
  );
  const parsed = parse(Env, environment, 'environment');
  if ('value' in parsed) return parsed.value;
  throw new ToolError(
    `${FunctionName} is configured by another version of this project: ${parsed.faults.join('; ')}; deploy this one, or use the version that was deployed`,
  );
}

/** What was found. */
export interface Look {
  observation: Observation;
  lease: Lease | null;
  /** What became of the execution that holds the lease. */
  holder: Holder;
  /** What the healer remembers. */
  healing: Healing;
}

/**
 * Observes as `assess-cluster` does. The servers are asked by ReportStatus, a node command that only reads.
 * @returns null: no workflow has ever run, so there is no record of a cluster
 */
export async function look({ client, now, sleep }: Target, env: Configuration): Promise<Look | null> {
  const table = new Table(client, env.TABLE);
  const records = new ClusterRecords(table);
  if (!(await records.read())) return null;
  const observing = observe({
    records,
    slots: new Slots(table),
    instances: new Instances(client, env.CLUSTER),
    commands: new Commands(client, env.DOCUMENT_PREFIX),
    targets: new Targets(client, env.TARGET_GROUPS),
    servers: env.SERVERS,
    now,
    sleep,
  });
  const [observation, lease, healing] = await Promise.all([
    observing,
    new Leases(table).read(),
    new Healer(table).read(),
  ]);
  const running = lease !== null && (await new Executions(client).isRunning(lease.holder));
  return { observation, lease, holder: lease === null ? 'none' : running ? 'running' : 'ended', healing };
}
