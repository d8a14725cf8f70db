/** A cluster with a domain, over real sockets: what a browser is shown. AWS time runs faster than real time. */
import { rmSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ScaledClock } from '../../local/clock';
import { boot, type EmbeddedAws } from '../../local/embedded';
import { assemblyWith } from '../support/assembly';

/** AWS seconds per second. */
const SCALE = 40;
const DOMAIN = 'demo.k3s-ha.org';

let aws: EmbeddedAws;
let assembly: string;
beforeAll(async () => {
  assembly = assemblyWith({ domain: DOMAIN, acme: { email: 'ops@k3s-ha.org' } });
  aws = await boot({ assembly, clock: new ScaledClock(SCALE), seed: 1, port: 0 });
});
afterAll(async () => {
  await aws.close();
  rmSync(assembly, { recursive: true });
});

async function create(): Promise<string | undefined> {
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'test' };
  const sfn = new SFNClient({ region: 'eu-west-3', endpoint: aws.url, credentials });
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: aws.stack.outputs.StateMachineArn, input: '{}' }),
  );
  for (;;) {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (status !== 'RUNNING') return status;
    await delay(100);
  }
}

/** One request through the load balancer's listener for HTTPS, to whatever name. */
function visit(servername: string): Promise<{ status?: number; body: string; issuer: string; names: string }> {
  const { hostname, port } = new URL(aws.state().urls['443'] ?? '');
  const options: RequestOptions = { hostname, port, servername, headers: { host: servername }, agent: false };
  return new Promise((resolve, reject) => {
    const call = request({ ...options, rejectUnauthorized: false }, (response) => {
      if (!(response.socket instanceof TLSSocket)) throw new Error('this is not TLS');
      const { issuer, subjectaltname = '' } = response.socket.getPeerCertificate();
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          body: Buffer.concat(chunks).toString(),
          issuer: String(issuer.CN),
          names: subjectaltname,
        }),
      );
    });
    call.once('error', reject);
    call.end();
  });
}

it('serves the demo over HTTPS with a certificate for its domain, and no other name with it', async () => {
  expect(await create()).toBe('SUCCEEDED');
  let answer = await visit(DOMAIN);
  for (let tries = 0; tries < 100 && !answer.names.includes(DOMAIN); tries++) {
    await delay(100);
    answer = await visit(DOMAIN);
  }
  expect(answer).toMatchObject({ status: 200, names: `DNS:${DOMAIN}`, issuer: expect.stringContaining('(STAGING)') });
  expect(answer.body).toContain("from Let's Encrypt's staging environment, which browsers do not trust");
  expect(await visit('other.k3s-ha.org')).toMatchObject({ status: 404, issuer: 'TRAEFIK DEFAULT CERT' });
});
