import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { mockClient } from 'aws-sdk-client-mock';
import { Bus } from '../../../functions/aws/bus';
import type { ClusterEvent } from '../../../functions/events';

const eventbridge = mockClient(EventBridgeClient);
const bus = new Bus({ region: 'eu-west-3' });
const ready = (incident: string): ClusterEvent => ({
  detailType: 'Cluster Ready',
  detail: {
    cluster: 'demo',
    incident,
    reason: '3 of 3 servers are in service',
    decision: 'created the cluster',
    todo: 'nothing',
    paused: false,
    execution: null,
    at: 1_795_356_000_000,
    servers: 3,
  },
});

beforeEach(() => eventbridge.reset());

describe('the event bus', () => {
  it('takes events with the source of the cluster', async () => {
    eventbridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
    await bus.publish([ready('a')]);
    expect(eventbridge.commandCalls(PutEventsCommand)[0]?.args[0].input.Entries).toEqual([
      {
        Source: 'k3s.cluster',
        DetailType: 'Cluster Ready',
        Detail: JSON.stringify(ready('a').detail),
        Time: new Date(1_795_356_000_000),
      },
    ]);
  });

  it('takes ten at a time', async () => {
    eventbridge.on(PutEventsCommand).resolves({ FailedEntryCount: 0 });
    await bus.publish(Array.from({ length: 12 }, (_, n) => ready(String(n))));
    const sizes = eventbridge.commandCalls(PutEventsCommand).map(({ args }) => args[0].input.Entries?.length);
    expect(sizes).toEqual([10, 2]);
  });

  it('that does not take one of them fails, because the answer alone says so', async () => {
    eventbridge.on(PutEventsCommand).resolves({
      FailedEntryCount: 1,
      Entries: [{ EventId: 'x' }, { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow down' }],
    });
    await expect(bus.publish([ready('a'), ready('b')])).rejects.toMatchObject({
      name: 'Unavailable',
      message: 'EventBridge did not take 1 of 2 events: ThrottlingException: slow down',
    });
  });

  it('is not called without events', async () => {
    await bus.publish([]);
    expect(eventbridge.calls()).toEqual([]);
  });
});
