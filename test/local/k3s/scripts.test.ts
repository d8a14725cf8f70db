/** The node scripts, on both hosts, against the model of K3s: what the workflow does with a cluster, without AWS. */
import { createHash } from 'node:crypto';
import { renderScript } from '../../../nodes/render';
import { MANIFESTS } from '../../nodes/machine';
import { Servers } from './servers';

describe.each(['bash', 'twin'] as const)('on the %s host', (kind) => {
  let servers: Servers;
  beforeEach(async () => {
    servers = await Servers.start(kind);
  });
  afterEach(() => servers.close());

  it('StartServer builds a cluster of three, ReportStatus describes it, and a dead server is replaced', async () => {
    const { caHash } = await servers.cluster();
    const [first, , third] = servers.machines;
    // The leader writes EtcdIsVoter when it next looks.
    await servers.lab.clock.advance(15_000);
    const report = await servers.run(first!, 'report-status');
    expect(report).toMatchObject({
      k3s: 'active',
      etcdHealthy: true,
      apiReady: true,
      caHash,
      k3sVersion: 'v1.33.5+k3s1',
      dbInfo: { members: [{}, {}, {}] },
    });
    expect(report).toHaveProperty(
      'nodes',
      servers.machines.map(({ instanceId, address }) => ({
        name: instanceId,
        ready: 'True',
        voter: true,
        deleting: false,
        member: expect.stringMatching(/-[0-9a-f]{8}$/),
        address,
      })),
    );

    await third!.kill();
    await servers.lab.clock.advance(60_000);
    const removal = { SSM_nodeName: third!.instanceId, SSM_address: third!.address };
    expect(await servers.run(first!, 'remove-member', removal)).toEqual({ removed: true });
    expect(await servers.run(first!, 'remove-member', removal)).toEqual({ removed: true });
    expect(servers.lab.k3s.state().members).toHaveLength(2);
    await servers.join(caHash);
    expect(servers.lab.k3s.state().members.filter(({ learner }) => !learner)).toHaveLength(3);
  });

  it('RemoveMember removes the member of a machine that died before it had a Node', async () => {
    const { caHash } = await servers.cluster();
    const joiner = await servers.launch();
    const [first] = servers.machines;
    const environment = { SSM_mode: 'join', SSM_peerAddress: first!.address, SSM_caHash: caHash };
    const running = joiner.run(renderScript('start-server'), environment, 300);
    running.catch(() => {});
    await servers.lab.until('a learner', () => servers.lab.k3s.state().members.some(({ learner }) => learner));
    await joiner.kill();
    const removal = { SSM_nodeName: joiner.instanceId, SSM_address: joiner.address };
    expect(await servers.run(first!, 'remove-member', removal)).toEqual({ removed: true });
    expect(servers.lab.k3s.state().members).toHaveLength(3);
    expect(servers.lab.node(joiner.instanceId)).toBeUndefined();
  });
});

describe('in-process', () => {
  let servers: Servers;
  beforeEach(async () => {
    servers = await Servers.start('twin');
  });
  afterEach(() => servers.close());

  it('StartServer fails for good on a CA that is not the cluster’s', async () => {
    await servers.cluster();
    const joiner = await servers.launch();
    const environment = {
      SSM_mode: 'join',
      SSM_peerAddress: servers.machines[0]!.address,
      SSM_caHash: '0'.repeat(64),
    };
    await expect(servers.run(joiner, 'start-server', environment)).rejects.toThrow('token CA hash does not match');
  });

  it('ReportStatus tells what a survivor without quorum cannot know', async () => {
    await servers.cluster();
    const [first, second, third] = servers.machines;
    await second!.kill();
    await third!.kill();
    await servers.lab.clock.advance(8_000);
    expect(await servers.run(first!, 'report-status')).toMatchObject({
      etcdHealthy: false,
      apiReady: false,
      dbInfo: null,
      nodes: null,
    });
  });

  it('ApplyManifests says that it failed when K3s refuses an object', async () => {
    await servers.cluster();
    const sha256 = createHash('sha256').update(MANIFESTS).digest('hex');
    const environment = { SSM_manifestsUri: 's3://assets/manifests.yaml', SSM_manifestsSha256: sha256 };
    await expect(servers.run(servers.machines[0]!, 'apply-manifests', environment)).rejects.toThrow('error validating');
  });
});
