import { ClusterRecords } from '../../../functions/aws/cluster-record';
import { Leases } from '../../../functions/aws/lease';
import { Slots } from '../../../functions/aws/slots';
import { Table } from '../../../functions/aws/table';
import { DynamoDb } from '../../../local/aws/dynamodb';
import { createEndpoint } from '../../../local/wire/endpoint';
import { clientConfig, sender } from '../../support/sdk';
import { testWorld } from '../../support/world';

const PROPERTIES = {
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  BillingMode: 'PAY_PER_REQUEST',
};

/**
 * The cluster's table in the embedded DynamoDB, in virtual time, and the adapters on top of it.
 * @param maxAttempts of the SDK: more than one sends a request again whose answer was lost
 */
export async function emulatedTable({ maxAttempts = 1 } = {}) {
  const world = testWorld('table');
  const service = new DynamoDb(world);
  const { ref } = await service.resources['AWS::DynamoDB::Table']!('Table', PROPERTIES);
  const caller = world.credentials.issue('arn:aws:sts::123456789012:assumed-role/Step/test');
  const settings = { ...clientConfig(world, createEndpoint(world, [service]), caller), maxAttempts };
  const table = new Table(settings, ref);
  return {
    world,
    table,
    leases: new Leases(table),
    records: new ClusterRecords(table),
    slots: new Slots(table),
    /** Awaits what calls the table, letting virtual time pass. */
    run: sender(world.clock, caller),
    /** A call takes effect and its answer is lost. */
    loseReply: (operation: string) => world.faults.onCall('dynamodb', operation, { kind: 'lost-reply' }, { times: 1 }),
    /** From now on a read that is not strongly consistent sees the table as it was so long ago. */
    lag: (ms: number) => service.lagReads(ms),
    now: () => world.clock.now(),
  };
}

export type EmulatedTable = Awaited<ReturnType<typeof emulatedTable>>;
