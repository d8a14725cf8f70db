import * as z from 'zod';
import { DETAILS } from '../../functions/events';
import { cleanUp, ofType, only, type Resource, synth, text } from './stack';

afterAll(cleanUp);

const { template } = synth();

const RULE = z.object({
  Name: z.string(),
  EventPattern: z.record(z.string(), z.json()).optional(),
  ScheduleExpression: z.string().optional(),
  Targets: z.tuple([
    z.object({
      Arn: z.json(),
      RetryPolicy: z.object({ MaximumEventAgeInSeconds: z.number(), MaximumRetryAttempts: z.number() }),
    }),
  ]),
});
const rules = new Map(
  [...ofType(template, 'AWS::Events::Rule')].map(([id, { Properties }]) => {
    const rule = RULE.parse(Properties);
    return [rule.Name.replace('k3s-demo-', ''), { id, ...rule }];
  }),
);
const rule = (name: string) => {
  const found = rules.get(name);
  if (!found) throw new Error(`no rule ${name}`);
  return found;
};
const functionId = (step: string) =>
  [...ofType(template, 'AWS::Lambda::Function')].find(
    ([, { Properties }]) => Properties.FunctionName === `k3s-demo-${step}`,
  )?.[0] ?? '';
const alarmIds = (names: readonly string[]) =>
  [...ofType(template, 'AWS::CloudWatch::Alarm')]
    .filter(([, { Properties }]) => names.includes(text(Properties.AlarmName).replace('k3s-demo-', '')))
    .map(([id]) => `<${id}.Arn>`)
    .sort();
const asynchronous = (step: string): Resource => {
  const found = [...ofType(template, 'AWS::Lambda::EventInvokeConfig').values()].find(
    ({ Properties }) => text(Properties.FunctionName) === `<${functionId(step)}>`,
  );
  if (!found) throw new Error(`${step} has no settings for asynchronous invocation`);
  return found;
};

describe('hints to the self-healer', () => {
  const HINTS = ['instance-state', 'spot-interruption', 'health', 'healthy-hosts', 'schedule'];

  it.each(HINTS)('%s reaches it, or is dropped within a minute', (name) => {
    const [target] = rule(name).Targets;
    expect(text(target.Arn)).toBe(`<${functionId('handle-node-event')}.Arn>`);
    expect(target.RetryPolicy.MaximumEventAgeInSeconds).toBe(60);
  });

  it('are the end of an instance, spot and health warnings, the load balancer’s alarms, and every minute', () => {
    expect(rule('instance-state').EventPattern).toEqual({
      source: ['aws.ec2'],
      'detail-type': ['EC2 Instance State-change Notification'],
      detail: { state: ['stopping', 'stopped', 'shutting-down', 'terminated'] },
    });
    expect(rule('spot-interruption').EventPattern).toEqual({
      source: ['aws.ec2'],
      'detail-type': ['EC2 Spot Instance Interruption Warning'],
    });
    expect(rule('health').EventPattern).toMatchObject({ detail: { service: ['EC2', 'ELASTICLOADBALANCING'] } });
    expect(rule('schedule').ScheduleExpression).toBe('rate(1 minute)');
    const { resources, ...alarms } = rule('healthy-hosts').EventPattern ?? {};
    expect(alarms).toEqual({ source: ['aws.cloudwatch'], 'detail-type': ['CloudWatch Alarm State Change'] });
    expect(z.array(z.json()).parse(resources).map(text).sort()).toEqual(
      alarmIds(['healthy-hosts-http', 'healthy-hosts-https', 'healthy-hosts-api']),
    );
  });

  it('that fail are not tried again', () => {
    expect(asynchronous('handle-node-event').Properties).toMatchObject({
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 60,
    });
  });
});

describe('what people are told', () => {
  it.each(['cluster-events', 'cluster-cut-off', 'delete-failed', 'watchdogs'])('%s reaches notify, if late', (name) => {
    const [target] = rule(name).Targets;
    expect(text(target.Arn)).toBe(`<${functionId('notify')}.Arn>`);
    expect(target.RetryPolicy.MaximumEventAgeInSeconds).toBe(86_400);
  });

  it('is every outcome of this cluster, and not what merely goes on', () => {
    const pattern = rule('cluster-events').EventPattern ?? {};
    expect(pattern).toMatchObject({ source: ['k3s.cluster'], detail: { cluster: ['demo'] } });
    const told = z.array(z.string()).parse(pattern['detail-type']);
    const untold = Object.keys(DETAILS).filter((type) => !told.includes(type));
    expect(told.filter((type) => !(type in DETAILS))).toEqual([]);
    expect(untold).toEqual(['Node Suspected', 'Replacement Started']);
  });

  it('are executions that could not say so themselves', () => {
    const [cluster, deletion] = [...ofType(template, 'AWS::StepFunctions::StateMachine').keys()];
    const of = (name: string) =>
      z
        .object({ detail: z.object({ stateMachineArn: z.tuple([z.json()]), status: z.array(z.string()) }) })
        .parse(rule(name).EventPattern).detail;
    expect(text(of('cluster-cut-off').stateMachineArn[0])).toBe(`<${cluster}>`);
    expect(of('cluster-cut-off').status).toEqual(['TIMED_OUT', 'ABORTED']);
    expect(text(of('delete-failed').stateMachineArn[0])).toBe(`<${deletion}>`);
    expect(of('delete-failed').status).toEqual(['FAILED', 'TIMED_OUT', 'ABORTED']);
  });

  it('is that the self-healer is in trouble, but not that it has just been deployed', () => {
    const { resources, detail } = rule('watchdogs').EventPattern ?? {};
    expect(z.array(z.json()).parse(resources).map(text).sort()).toEqual(
      alarmIds(['schedule-silent', 'healer-failing', 'notify-failing']),
    );
    expect(detail).toEqual({ state: { value: ['ALARM'] }, previousState: { value: ['OK'] } });
  });

  it('arrives as it is when it cannot be sent', () => {
    const { Properties } = asynchronous('notify');
    expect(Properties).toMatchObject({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 });
    const { DestinationConfig } = z
      .object({ DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.json() }) }) })
      .parse(Properties);
    const [topic] = ofType(template, 'AWS::SNS::Topic').keys();
    expect(text(DestinationConfig.OnFailure.Destination)).toBe(`<${topic}>`);
  });
});

it('every rule may invoke its function, and nobody else may', () => {
  const permissions = [...ofType(template, 'AWS::Lambda::Permission').values()].map(({ Properties }) => Properties);
  expect(permissions.map(({ SourceArn }) => text(SourceArn)).sort()).toEqual(
    [...rules.values()].map(({ id }) => `<${id}.Arn>`).sort(),
  );
  for (const { Action, Principal, SourceAccount, SourceArn, FunctionName } of permissions) {
    expect({ Action, Principal, SourceAccount: text(SourceAccount) }).toEqual({
      Action: 'lambda:InvokeFunction',
      Principal: 'events.amazonaws.com',
      SourceAccount: '<AWS::AccountId>',
    });
    const own = [...rules.values()].find(({ id }) => text(SourceArn) === `<${id}.Arn>`);
    expect(text(FunctionName)).toBe(text(own?.Targets[0].Arn));
  }
});

it('the longest cluster name still makes rule names that EventBridge accepts', () => {
  const long = synth({ name: 'a23456789012345678901z' }).template;
  for (const { Properties } of ofType(long, 'AWS::Events::Rule').values()) {
    expect(text(Properties.Name)).toMatch(/^[\w.-]{1,64}$/);
  }
});

it('alerts that were sent are forgotten some day', () => {
  expect(only(template, 'AWS::DynamoDB::Table').Properties.TimeToLiveSpecification).toEqual({
    AttributeName: 'expiresAt',
    Enabled: true,
  });
});
