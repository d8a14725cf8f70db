/** Events as the services' documentation shows them. */
const envelope = (source: string, detailType: string, detail: object, resources: string[] = []) => ({
  version: '0',
  id: '7bf73129-1428-4cd3-a780-95db273d1602',
  source,
  'detail-type': detailType,
  account: '123456789012',
  time: '2026-11-22T14:00:00Z',
  region: 'eu-west-3',
  resources,
  detail,
});

export const stateChange = (instanceId: string, state = 'terminated') =>
  envelope('aws.ec2', 'EC2 Instance State-change Notification', { 'instance-id': instanceId, state }, [
    `arn:aws:ec2:eu-west-3:123456789012:instance/${instanceId}`,
  ]);

export const spotWarning = (instanceId: string) =>
  envelope('aws.ec2', 'EC2 Spot Instance Interruption Warning', {
    'instance-id': instanceId,
    'instance-action': 'terminate',
  });

export const alarm = (value = 'ALARM') =>
  envelope(
    'aws.cloudwatch',
    'CloudWatch Alarm State Change',
    {
      alarmName: 'k3s-demo-api-healthy-hosts',
      state: { value, reason: 'Threshold Crossed', timestamp: '2026-11-22T14:00:00.000+0000' },
      previousState: { value: 'OK', timestamp: '2026-11-22T13:00:00.000+0000' },
      configuration: { metrics: [] },
    },
    ['arn:aws:cloudwatch:eu-west-3:123456789012:alarm:k3s-demo-api-healthy-hosts'],
  );

export const healthEvent = (...instanceIds: string[]) =>
  envelope(
    'aws.health',
    'AWS Health Event',
    {
      eventArn: 'arn:aws:health:eu-west-3::event/EC2/AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED/x',
      service: 'EC2',
      eventTypeCode: 'AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED',
      eventTypeCategory: 'scheduledChange',
      startTime: 'Sun, 22 Nov 2026 14:00:00 GMT',
      eventDescription: [{ language: 'en_US', latestDescription: 'Your instance is going to be retired' }],
      affectedEntities: instanceIds.map((entityValue) => ({ entityValue })),
    },
    instanceIds,
  );

export const tick = () =>
  envelope('aws.events', 'Scheduled Event', {}, ['arn:aws:events:eu-west-3:123456789012:rule/k3s-demo-minute']);
