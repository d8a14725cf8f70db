import type { DetailType } from '../../../functions/events';

export const EXECUTION = 'arn:aws:states:eu-west-3:123456789012:execution:k3s-demo:repair-server-1-x';
export const PLACE = {
  cluster: 'demo',
  stateMachine: 'arn:aws:states:eu-west-3:123456789012:stateMachine:k3s-demo',
};
const AT = Date.UTC(2026, 10, 22, 14, 3, 40);

/** An event of ours in EventBridge's envelope. */
export function deliver(detailType: DetailType, detail: object, id = 'event-1') {
  return {
    version: '0',
    id,
    source: 'k3s.cluster',
    'detail-type': detailType,
    account: '123456789012',
    region: 'eu-west-3',
    time: new Date(AT).toISOString(),
    resources: [],
    detail: {
      cluster: 'demo',
      incident: 'incident-1',
      reason: 'x',
      decision: 'y',
      todo: 'nothing',
      paused: false,
      execution: EXECUTION,
      at: AT,
      ...detail,
    },
  };
}

export const replaced = (id?: string) =>
  deliver(
    'Node Replaced',
    {
      incident: 'replaced/i-0b7000001',
      slot: 1,
      instanceId: 'i-0b7000001',
      newInstanceId: 'i-0d9000002',
      since: AT - 89_000,
      seconds: { detect: 1, launch: 23, join: 38, inService: 27, total: 89 },
      reason: 'server-1 i-0b7000001 is terminated',
      decision: 'replace server-1 (2 of the 2 voters left are proven healthy, a majority remains)',
    },
    id,
  );

export const deferred = (detail: object = {}, id?: string) =>
  deliver(
    'Replacement Deferred',
    {
      incident: 'majority-at-risk/i-0b7000001',
      slot: 1,
      instanceId: 'i-0b7000001',
      reason: 'server-1 is terminated, but 2 of 3 voters are sick',
      decision: 'the replacement is deferred: nothing was changed',
      todo: 'Bring the sick servers back.',
      ...detail,
    },
    id,
  );

/** https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html */
export const executionEnded = (status: string) => ({
  version: '0',
  id: 'event-2',
  source: 'aws.states',
  'detail-type': 'Step Functions Execution Status Change',
  account: '123456789012',
  region: 'eu-west-3',
  time: '2026-11-22T14:00:00Z',
  resources: [EXECUTION],
  detail: {
    executionArn: EXECUTION,
    stateMachineArn: PLACE.stateMachine,
    name: 'repair-server-1-x',
    status,
    startDate: Date.UTC(2026, 10, 22, 13),
    stopDate: Date.UTC(2026, 10, 22, 14),
    input: '{}',
    output: null,
    error: null,
    cause: null,
  },
});

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
export const silence = (value = 'ALARM', alarm = 'schedule-silent') => ({
  version: '0',
  id: 'event-3',
  source: 'aws.cloudwatch',
  'detail-type': 'CloudWatch Alarm State Change',
  account: '123456789012',
  region: 'eu-west-3',
  time: '2026-11-22T14:00:00Z',
  resources: [`arn:aws:cloudwatch:eu-west-3:123456789012:alarm:k3s-demo-${alarm}`],
  detail: {
    alarmName: `k3s-demo-${alarm}`,
    state: { value, reason: 'no datapoints were received', timestamp: '2026-11-22T14:00:00.000+0000' },
    previousState: { value: 'OK', timestamp: '2026-11-22T13:00:00.000+0000' },
    configuration: { metrics: [] },
  },
});
