import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { review } from '../../infra/review';
import { bundles, cleanUp, only, STEPS, synth, type Template, text } from './stack';

afterAll(cleanUp);

const same = bundles(STEPS);
const demo = synth({}, { bundles: same });
/** Everything that can be switched on, under a name that begins like the other's. */
const full = synth(
  {
    name: 'demo-2',
    servers: 5,
    network: { mode: 'private' },
    apiCidrs: ['203.0.113.0/24'],
    domain: 'demo.example.org',
    acme: { email: 'ops@example.org' },
  },
  { review },
);

/** Properties that name what is elsewhere, AWS' own things, or, as an inline policy's, something within a resource. */
const FOREIGN = ['ServiceName', 'PolicyName', 'MetricName'];
const BELONGING = ['AWS::Lambda::Permission', 'AWS::Lambda::EventInvokeConfig'];

/** Every name that the template fixes: `FunctionName`, `LogGroupName`, … */
function physicalNames(template: Template): string[] {
  return Object.values(template.Resources).flatMap(({ Type, Properties }) =>
    Object.entries(Properties)
      .filter(([key]) => /Name$/.test(key) && !FOREIGN.includes(key) && !BELONGING.includes(Type))
      .map(([key, value]) => `${Type} ${key} ${text(value)}`),
  );
}

it('two clusters in one account and region share no name', () => {
  const one = new Set(physicalNames(demo.template));
  expect(one.size).toBeGreaterThan(40);
  expect(physicalNames(full.template).filter((name) => one.has(name))).toEqual([]);
});

describe('synthesis', () => {
  it('gives the same template for the same input', () => {
    expect(synth({}, { bundles: same }).text).toBe(demo.text);
  });

  it('passes CloudFormation’s own resource schemas', () => {
    const report: unknown = JSON.parse(readFileSync(join(full.outdir, 'validation-report.json'), 'utf8'));
    expect(report).toMatchObject({ pluginReports: [] });
  });

  it('knows neither account nor region unless told', () => {
    expect(demo.text).not.toMatch(/[^0-9a-f]\d{12}[^0-9a-f]/);
    expect(demo.text).not.toMatch(/(eu|us|ap)-\w+-\d/);
  });

  it('stays within CloudFormation’s template size', () => {
    expect(Buffer.byteLength(full.text)).toBeLessThan(1_000_000);
  });
});

describe('what outlives an execution', () => {
  it('is an encrypted on-demand table that can be restored to any point in time', () => {
    expect(only(demo.template, 'AWS::DynamoDB::Table').Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      SSESpecification: { SSEEnabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });

  it('is a generated join token of letters and digits, which appears nowhere', () => {
    const secret = only(demo.template, 'AWS::SecretsManager::Secret');
    expect(secret.Properties.GenerateSecretString).toEqual({ PasswordLength: 64, ExcludePunctuation: true });
    expect(secret.Properties).not.toHaveProperty('SecretString');
    expect(demo.text).not.toContain('resolve:secretsmanager');
  });
});

describe('the deletion guard', () => {
  const guard = only(demo.template, 'Custom::GuardDeletion');

  it('is deleted before anything a server needs', () => {
    const before = new Set(guard.DependsOn);
    const guarded = Object.entries(demo.template.Resources)
      .filter(([, { Type }]) => Type !== 'Custom::GuardDeletion')
      .map(([id]) => id);
    expect(guarded.filter((id) => !before.has(id))).toEqual([]);
  });

  it('is answered by its function, soon', () => {
    expect(text(guard.Properties.ServiceToken)).toMatch(/^<FunctionsGuardDeletion\w+\.Arn>$/);
    expect(guard.Properties.ServiceTimeout).toBe('120');
  });
});

describe('the stack', () => {
  it('tags what it creates with the cluster', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(demo.outdir, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({
      artifacts: { 'k3s-demo': { properties: { tags: { 'k3s:cluster': 'demo' } } } },
    });
  });

  it('publishes how to reach it', () => {
    expect(Object.keys(demo.template.Outputs).sort()).toEqual([
      'ApiEndpoint',
      'ClusterName',
      'DashboardUrl',
      'DeleteStateMachineArn',
      'DocumentPrefix',
      'LoadBalancerDns',
      'StateMachineArn',
      'TableName',
      'TopicArn',
      'Url',
    ]);
    expect(text(demo.template.Outputs.Url?.Value)).toMatch(/^http:\/\/<\w+\.DNSName>\/$/);
    expect(text(full.template.Outputs.Url?.Value)).toBe('https://demo.example.org/');
  });
});
