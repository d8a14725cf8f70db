import * as z from 'zod';
import { cleanUp, ofType, only, type Resource, statementsByRole, synth, text } from './stack';

afterAll(cleanUp);

const { template } = synth();
const five = synth({ servers: 5, alertEmail: 'ops@example.org' }).template;

const alarm = (name: string, among = template): Resource => {
  const found = [...ofType(among, 'AWS::CloudWatch::Alarm').values()].find(
    ({ Properties }) => Properties.AlarmName === `k3s-demo-${name}`,
  );
  if (!found) throw new Error(`no alarm ${name}`);
  return found;
};
const dimensions = ({ Properties }: Resource): Record<string, string> =>
  Object.fromEntries(
    z
      .array(z.object({ Name: z.string(), Value: z.json() }))
      .parse(Properties.Dimensions)
      .map(({ Name, Value }) => [Name, text(Value)]),
  );

describe('the topic', () => {
  it('is encrypted with AWS’ own key and takes messages over TLS only', () => {
    expect(text(only(template, 'AWS::SNS::Topic').Properties.KmsMasterKeyId)).toMatch(/:alias\/aws\/sns$/);
    expect(ofType(template, 'AWS::KMS::Key').size).toBe(0);
    expect(JSON.stringify(only(template, 'AWS::SNS::TopicPolicy').Properties)).toContain(
      '"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"',
    );
  });

  it('mails to the configured address, and to nobody without one', () => {
    expect(ofType(template, 'AWS::SNS::Subscription').size).toBe(0);
    expect(only(five, 'AWS::SNS::Subscription').Properties).toMatchObject({
      Protocol: 'email',
      Endpoint: 'ops@example.org',
    });
  });

  it('is published to by one function only', () => {
    const publishers = [...statementsByRole(template)].filter(([, statements]) =>
      statements.some(({ Action }) => Action.includes('sns:Publish')),
    );
    expect(publishers.map(([role]) => role)).toEqual([expect.stringMatching(/^FunctionsNotifyRole/)]);
  });
});

describe.each(['http', 'https', 'api'])('the alarm of the servers that receive %s traffic', (stem) => {
  it('rises within a minute of one missing, also when none is left to count', () => {
    for (const [among, servers] of [
      [template, 3],
      [five, 5],
    ] as const) {
      expect(alarm(`healthy-hosts-${stem}`, among).Properties).toMatchObject({
        Namespace: 'AWS/NetworkELB',
        MetricName: 'HealthyHostCount',
        Statistic: 'Minimum',
        Period: 60,
        EvaluationPeriods: 1,
        ComparisonOperator: 'LessThanThreshold',
        Threshold: servers,
        TreatMissingData: 'breaching',
      });
    }
  });

  it('counts the targets of its own group', () => {
    const { LoadBalancer, TargetGroup } = dimensions(alarm(`healthy-hosts-${stem}`));
    expect(LoadBalancer).toMatch(/^<LoadBalancer\w+\.LoadBalancerFullName>$/);
    const group = /^<(\w+)\.TargetGroupFullName>$/.exec(TargetGroup ?? '')?.[1] ?? '';
    expect(template.Resources[group]?.Properties.Name).toBe(`k3s-demo-${stem}`);
  });
});

describe('the watchdogs', () => {
  it('notice that the check of every minute has not run for ten minutes', () => {
    const silent = alarm('schedule-silent');
    expect(silent.Properties).toMatchObject({
      Namespace: 'AWS/Lambda',
      MetricName: 'Invocations',
      Statistic: 'Sum',
      Period: 300,
      EvaluationPeriods: 2,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
    expect(dimensions(silent).FunctionName).toMatch(/^<FunctionsHandleNodeEvent\w+>$/);
  });

  it.each([
    ['healer-failing', 'HandleNodeEvent', 3],
    ['notify-failing', 'Notify', 1],
  ])('%s: notice errors of a function', (name, step, threshold) => {
    const failing = alarm(name);
    expect(failing.Properties).toMatchObject({
      Namespace: 'AWS/Lambda',
      MetricName: 'Errors',
      Statistic: 'Sum',
      Period: 300,
      Threshold: threshold,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
    });
    expect(dimensions(failing).FunctionName).toMatch(new RegExp(`^<Functions${step}\\w+>$`));
  });
});

it('no alarm has an action of its own: the key of the topic would refuse it', () => {
  for (const { Properties } of ofType(template, 'AWS::CloudWatch::Alarm').values()) {
    expect(Object.keys(Properties).filter((key) => /Actions$/.test(key))).toEqual([]);
  }
});

describe('the dashboard', () => {
  const { Properties } = only(template, 'AWS::CloudWatch::Dashboard');
  const { widgets } = z
    .object({
      widgets: z.array(z.object({ type: z.string(), properties: z.record(z.string(), z.json()) })),
    })
    .parse(JSON.parse(text(Properties.DashboardBody)));
  const queries = widgets.flatMap(({ type, properties }) => (type === 'log' ? [text(properties.query)] : []));

  it('is named after the cluster and linked in the outputs', () => {
    expect(Properties.DashboardName).toBe('k3s-demo');
    expect(text(template.Outputs.DashboardUrl?.Value)).toMatch(/#dashboards\/dashboard\/k3s-demo$/);
  });

  it('shows healthy hosts, executions, replacements and decisions by reason', () => {
    const all = JSON.stringify(widgets);
    for (const metric of ['HealthyHostCount', 'ExecutionsStarted', 'ExecutionsFailed', 'Invocations', 'Errors']) {
      expect(all).toContain(`"${metric}"`);
    }
    const logs = (step: string) => new RegExp(`^SOURCE '<Functions${step}Logs\\w+>'`);
    expect(queries).toContainEqual(expect.stringMatching(logs('PublishEvent')));
    expect(queries).toContainEqual(expect.stringMatching(logs('HandleNodeEvent')));
    expect(queries).toContainEqual(expect.stringMatching(logs('AssessCluster')));
    expect(queries.find((query) => query.includes('"decided"'))).toContain('by decision, code');
  });
});
