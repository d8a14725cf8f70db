import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { DynamoDb } from '../../local/aws/dynamodb';
import { AwsError, operation, type Service } from '../../local/aws/service';
import { ScaledClock } from '../../local/clock';
import { createEndpoint } from '../../local/wire/endpoint';
import { type Served, serve } from '../../local/wire/server';
import { bundle, steps } from '../../tools/bundle';
import { OURS } from '../functions/support/executions';
import { testWorld } from '../support/world';

const MAX_BYTES = 400_000;

/** Calls the handler of a file as Lambda does, and prints what came of it as the last line. */
const CALL = `
const [file, payload] = process.argv.slice(1);
require(file).handler(JSON.parse(payload)).then(
  (output) => console.log(JSON.stringify({ output })),
  ({ name, message }) => console.log(JSON.stringify({ error: { name, message } })),
);`;

/** As CALL, with requests that go nowhere: prints to whom they would have gone, and how they were signed. */
const RECORD = `
const https = require('node:https');
const [file, payload] = process.argv.slice(1);
https.request = ({ hostname, host, headers }) => {
  console.log(JSON.stringify({ host: hostname ?? host, authorization: headers.authorization }));
  process.exit();
};
require(file).handler(JSON.parse(payload));`;

/** As CALL, in a process whose timers run a hundred times faster. */
const HURRIED = `
const { setTimeout: usual } = globalThis;
globalThis.setTimeout = (then, ms, ...given) => usual(then, ms / 100, ...given);
${CALL}`;

/** Refuses every target, in the words of the wire; whoever asks for health is throttled once before. */
function loadBalancing(): Service & { asked: number } {
  const service = {
    name: 'elasticloadbalancing',
    protocol: 'query' as const,
    version: '2015-12-01',
    asked: 0,
    operations: {
      RegisterTargets: operation({
        input: z.unknown(),
        handle: () => {
          throw new AwsError('InvalidTarget', 'The following targets are not in a running state');
        },
      }),
      DescribeTargetHealth: operation({
        input: z.unknown(),
        handle: () => {
          if (service.asked++ === 0) throw new AwsError('Throttling', 'Rate exceeded');
          return { TargetHealthDescriptions: [] };
        },
      }),
    },
    resources: {},
  };
  return service;
}

describe('bundled functions', () => {
  const outdir = mkdtempSync(join(tmpdir(), 'bundle-'));
  const clock = new ScaledClock(1000);
  const environment: Record<string, string> = {};
  const elb = loadBalancing();
  let served: Served;

  beforeAll(async () => {
    await bundle(outdir);
    const world = { ...testWorld('bundle'), clock };
    const table = new DynamoDb(world);
    const { ref } = await table.resources['AWS::DynamoDB::Table']!('Table', {
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    });
    served = await serve(createEndpoint(world, [table, elb]), { port: 0 });
    const caller = world.credentials.issue('arn:aws:sts::123456789012:assumed-role/Step/test');
    Object.assign(environment, {
      AWS_ENDPOINT_URL: served.url,
      AWS_REGION: world.region,
      AWS_ACCESS_KEY_ID: caller.accessKeyId,
      AWS_SECRET_ACCESS_KEY: caller.secretAccessKey,
      AWS_SESSION_TOKEN: caller.sessionToken,
      CLUSTER: 'demo',
      SERVERS: '3',
      TABLE: ref,
      TARGET_GROUPS: 'arn:http,arn:https,arn:api',
    });
  }, 120_000);

  afterAll(async () => {
    await served.close();
    clock.close();
    rmSync(outdir, { recursive: true });
  });

  /** In a process of its own: the server answers from this one. */
  const call = async (step: string, payload: unknown, { script = CALL, env = environment } = {}): Promise<unknown> => {
    const args = ['-e', script, join(outdir, step, 'index.js'), JSON.stringify(payload)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
  };

  it.each(steps())('%s is small enough to load fast', (step) => {
    expect(statSync(join(outdir, step, 'index.js')).size).toBeLessThanOrEqual(MAX_BYTES);
  });

  it('acquire the lease over the wire, with the credentials of the environment', async () => {
    const payload = { workflow: 'cluster', execution: OURS, input: {} };
    expect(await call('acquire-lease', payload)).toMatchObject({ output: { status: 'acquired' } });
  });

  it('know a condition that did not hold, although the SDK’s error classes are left out', async () => {
    const instanceId = 'i-0123456789abcdef0';
    const payload = { execution: OURS, instanceId, caHash: 'c'.repeat(64), k3sVersion: 'v1' };
    expect(await call('complete-init', payload)).toMatchObject({
      error: { name: 'LatchRefused', message: expect.stringContaining('uninitialised') },
    });
  });

  it('know a refused target by the code of the wire', async () => {
    const payload = { execution: OURS, instanceId: 'i-0123456789abcdef0' };
    expect(await call('register-targets', payload)).toMatchObject({
      error: {
        name: 'ServerLost',
        message: expect.stringContaining('InvalidTarget: The following targets are not in a running state'),
      },
    });
  });

  it('try again when they are throttled', async () => {
    expect(await call('check-targets', {})).toMatchObject({ error: { name: 'TargetsNotHealthy' } });
    // Three target groups, one of them twice.
    expect(elb.asked).toBe(4);
  });

  it('give up a call that nobody answers, after three attempts', async () => {
    let asked = 0;
    const silent = createServer(() => asked++);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = z.object({ port: z.number() }).parse(silent.address());
    const env = { ...environment, AWS_ENDPOINT_URL: `http://127.0.0.1:${port}` };
    try {
      expect(await call('mark-absent', { execution: OURS }, { script: HURRIED, env })).toEqual({
        error: { name: 'Unavailable', message: expect.stringContaining('TimeoutError: ') },
      });
      expect(asked).toBe(3);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  const HELD = { execution: OURS, instanceId: 'i-0123456789abcdef0' };
  const FAILED = { status: 'failed', changed: false, stage: 'Init', error: 'X', cause: 'y', concern: null };
  it.each([
    ['dynamodb', 'mark-absent', { execution: OURS }],
    ['elasticloadbalancing', 'register-targets', HELD],
    ['events', 'publish-event', { execution: OURS, outcome: FAILED }],
  ])('call %s at its endpoint of the region, signed for both', async (service, step, payload) => {
    const { AWS_REGION: region, AWS_ENDPOINT_URL: table = '' } = environment;
    const own = { AWS_ENDPOINT_URL: '', AWS_ENDPOINT_URL_DYNAMODB: service === 'dynamodb' ? '' : table };
    const env = { ...environment, ...own };
    expect(await call(step, payload, { script: RECORD, env })).toEqual({
      host: `${service}.${region}.amazonaws.com`,
      authorization: expect.stringMatching(
        new RegExp(`^AWS4-HMAC-SHA256 Credential=\\w+/\\d{8}/${region}/${service}/aws4_request, `),
      ),
    });
  });

  it('name every variable that their environment lacks', async () => {
    const { CLUSTER: _, TABLE: __, ...rest } = environment;
    const args = ['-e', CALL, join(outdir, 'mark-absent', 'index.js'), '{}'];
    const failed = promisify(execFile)(process.execPath, args, { env: { ...rest, AWS_LAMBDA_FUNCTION_NAME: 'x' } });
    await expect(failed).rejects.toMatchObject({ stderr: expect.stringMatching(/CLUSTER: .*; TABLE: /) });
  });
});
