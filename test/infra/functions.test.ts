import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { ANY_RESOURCE } from '../../infra/lib/permissions';
import {
  bundles,
  cleanUp,
  ofType,
  type Resource,
  ROOT,
  STEPS,
  statementsByRole,
  synth,
  type Template,
  text,
} from './stack';

afterAll(cleanUp);

const three = synth().template;
const five = synth({ name: 'prod', servers: 5, network: { mode: 'private' }, architecture: 'arm64' }).template;

function functionOf(template: Template, step: string, cluster = 'demo'): Resource {
  const found = [...ofType(template, 'AWS::Lambda::Function').values()].find(
    ({ Properties }) => Properties.FunctionName === `k3s-${cluster}-${step}`,
  );
  if (!found) throw new Error(`no function ${step}`);
  return found;
}

const CONTRACT = z.object({ Env: z.custom<z.ZodMiniType>((value) => value instanceof z.ZodMiniType) });

async function contractOf(step: string) {
  return z.parse(CONTRACT, await import(`../../functions/${step}/contract`)).Env;
}

const roleOf = (resource: Resource) => /^<(\w+)\.Arn>$/.exec(text(resource.Properties.Role))?.[1] ?? '';

describe('the functions', () => {
  it('are those of functions/, all of them', () => {
    const folders = readdirSync(join(ROOT, 'functions')).filter((name) =>
      existsSync(join(ROOT, 'functions', name, 'contract.ts')),
    );
    expect([...STEPS]).toEqual(folders.sort());
    expect(ofType(three, 'AWS::Lambda::Function').size).toBe(folders.length);
  });

  it.each(STEPS)('%s gets the environment its contract asks for', async (step) => {
    const Env = await contractOf(step);
    for (const [template, cluster] of [
      [three, 'demo'],
      [five, 'prod'],
    ] as const) {
      const { Variables } = functionOf(template, step, cluster).Properties.Environment as {
        Variables: Record<string, Parameters<typeof text>[0]>;
      };
      const environment = Object.fromEntries(Object.entries(Variables).map(([key, value]) => [key, text(value)]));
      expect(z.safeParse(Env, environment)).toMatchObject({ success: true });
      expect(environment).toMatchObject({ CLUSTER: cluster });
      for (const value of Object.values(environment)) expect(value).not.toBe('');
    }
  });

  it.each(STEPS)('%s runs on Node.js 24, for at most 30 seconds unless it waits for a build', (step) => {
    expect(functionOf(three, step).Properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'index.handler',
      Timeout: step === 'build-image' ? 900 : 30,
      MemorySize: 256,
    });
  });

  it('have a role and a log group each, kept for a month', () => {
    const functions = [...ofType(three, 'AWS::Lambda::Function').values()];
    expect(new Set(functions.map(roleOf)).size).toBe(functions.length);
    for (const group of ofType(three, 'AWS::Logs::LogGroup').values()) {
      expect(group.Properties.RetentionInDays).toBe(30);
      expect(group.DeletionPolicy).toBe('Delete');
    }
    expect(JSON.stringify(three)).not.toContain('ManagedPolicyArns');
  });

  it('write to their own log group only', () => {
    for (const step of STEPS) {
      const statements = statementsByRole(three).get(roleOf(functionOf(three, step)))!;
      const [logs, ...others] = statements.filter(({ Action }) => Action.some((action) => action.startsWith('logs:')));
      expect(others).toEqual([]);
      expect(logs?.Action).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents']);
      const group = /^<(\w+)\.Arn>$/.exec(text(logs?.Resource[0]))?.[1] ?? '';
      expect(three.Resources[group]?.Properties.LogGroupName).toBe(`/aws/lambda/k3s-demo-${step}`);
    }
  });

  it('are missed with a hint when they have not been bundled', () => {
    expect(() => synth({}, { bundles: bundles(['acquire-lease']) })).toThrow(
      /index\.js is missing: run "npm run bundle"/,
    );
  });
});

describe.each([
  ['three servers', three, 'demo'],
  ['five servers, private', five, 'prod'],
] as const)('permissions with %s', (_variant, template, cluster) => {
  const statements = [...statementsByRole(template).values()].flat();
  const of = (step: string) => statementsByRole(template).get(roleOf(functionOf(template, step, cluster)))!;
  const granting = (action: string, among = statements) => among.filter(({ Action }) => Action.includes(action));

  it('have no reason on the list that nothing needs', () => {
    const used = new Set(statements.filter(({ Resource }) => Resource.includes('*')).flatMap(({ Action }) => Action));
    expect(Object.keys(ANY_RESOURCE).filter((action) => !used.has(action))).toEqual([]);
  });

  it('let only the steps that observe run ReportStatus, and only send-command run the others', () => {
    const may = (step: string) =>
      granting('ssm:SendCommand', of(step))
        .flatMap(({ Resource }) => Resource)
        .flatMap((resource) => /:document\/k3s-\w+-(\w+)$/.exec(resource)?.[1] ?? []);
    expect(may('assess-cluster')).toEqual(['ReportStatus']);
    expect(may('terminate-server')).toEqual(['ReportStatus']);
    expect(may('send-command')).toEqual(['StartServer', 'RemoveMember', 'ApplyManifests']);
    const senders = STEPS.filter((step) => may(step).length > 0);
    expect(senders).toEqual(['assess-cluster', 'send-command', 'terminate-server']);
  });

  it('end instances in one step only', () => {
    const enders = STEPS.filter((step) => granting('ec2:TerminateInstances', of(step)).length > 0);
    expect(enders).toEqual(['terminate-server']);
  });
});
