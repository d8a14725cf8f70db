/** The private network, from its own template: servers behind NAT gateways. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeSubnetsCommand } from '@aws-sdk/client-ec2';
import { parseConfig } from '../../infra/config';
import { synthesize } from '../../infra/synth';
import { assembly } from '../support/assembly-path';
import { bootTest, closeAll } from '../support/embedded';
import { expectHealthy } from '../support/expectations';

const directory = mkdtempSync(join(tmpdir(), 'k3s-ha-private-'));
afterAll(async () => {
  await closeAll();
  rmSync(directory, { recursive: true });
});

it('a cluster in the private network is created, and its servers are in private subnets', async () => {
  const outdir = join(directory, 'cdk.out');
  synthesize({
    root: join(__dirname, '../..'),
    config: parseConfig({ network: { mode: 'private' } }),
    bundles: join(assembly(), '../functions'),
    outdir,
  });
  const cluster = await bootTest({ assembly: outdir, healer: false });
  expect(await cluster.create()).toMatchObject({ status: 'SUCCEEDED', output: { rounds: 1 } });
  expectHealthy(cluster);
  const { Subnets = [] } = await cluster.send(() => cluster.ec2.send(new DescribeSubnetsCommand({})));
  const own = cluster.servers.map(({ instanceId }) => cluster.aws.services.ec2.instance(instanceId)?.subnetId);
  const inhabited = Subnets.filter(({ SubnetId }) => own.includes(SubnetId));
  expect(inhabited.map(({ MapPublicIpOnLaunch }) => MapPublicIpOnLaunch)).toEqual([false, false, false]);
  expect(new Set(own).size).toBe(3);
  expect(Subnets).toHaveLength(6);
});
