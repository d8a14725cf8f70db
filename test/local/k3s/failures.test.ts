import { Lab, SERVER_DIR, type TestMachine, TOKEN } from './fixture';

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab.close());

const members = () => lab.k3s.state().members;
const leaderOf = (machines: TestMachine[]) =>
  machines.find(({ address }) => members().find(({ leader }) => leader)?.address === address)!;

describe('a machine that hangs', () => {
  it('counts as gone: its node becomes NotReady, a leader is replaced, its commands never end', async () => {
    const machines = await lab.servers(3);
    const hanging = leaderOf(machines);
    const [other] = machines.filter((machine) => machine !== hanging);
    lab.k3s.onFreeze(hanging.instanceId);
    let answered = false;
    hanging.command('systemctl', ['is-active', 'k3s']).then(
      () => {},
      () => {},
    );
    hanging.command('k3s', ['kubectl', 'get', 'nodes']).then(
      () => {
        answered = true;
      },
      () => {},
    );
    await lab.until('NotReady', () => lab.node(hanging.instanceId)?.ready === 'Unknown');
    expect(answered).toBe(false);
    expect(leaderOf(machines)).not.toBe(hanging);
    expect((await other!.kubectl('get', 'nodes')).exitCode).toBe(0);
    expect(await hanging.probe(6443)).toEqual({ ok: false, reason: 'timeout' });
  });

  it('starts afresh after it was powered off', async () => {
    const [first, second] = await lab.servers(3);
    await second!.run('systemctl', 'enable', 'k3s');
    lab.k3s.onFreeze(second!.instanceId);
    await lab.clock.advance(60_000);
    second!.kill();
    second!.boot();
    await lab.until('Ready', () => lab.node(second!.instanceId)?.ready === 'True');
    expect((await first!.kubectl('get', 'nodes')).stdout).not.toContain('NotReady');
  });
});

describe('a partition', () => {
  it('leaves the majority working and stops the minority, which recovers when it ends', async () => {
    const machines = await lab.servers(3);
    const alone = leaderOf(machines);
    const [other] = machines.filter((machine) => machine !== alone);
    const end = lab.network.block((from, to) => from === alone.address || to === alone.address);
    await lab.until('the majority has a leader', () => leaderOf(machines) !== alone && lab.k3s.state().quorum);
    expect((await other!.kubectl('get', 'nodes')).exitCode).toBe(0);
    await lab.until('the minority exits', async () => (await alone.state()) === 'activating');
    end();
    await lab.until('it is back', async () => (await alone.state()) === 'active', 180);
    await lab.until('Ready', () => lab.node(alone.instanceId)?.ready === 'True');
  });

  it('keeps the stale data of a member that was cut off: a reset on it forgets what came later', async () => {
    const [first, second, third] = await lab.servers(3);
    third!.kill();
    await lab.clock.advance(1000);
    await first!.kubectl('label', 'node', first!.instanceId, 'late=yes');
    first!.kill();
    second!.kill();
    third!.boot();
    third!.configure({});
    expect((await third!.run('k3s', 'server', '--cluster-reset')).exitCode).toBe(0);
    await third!.start();
    await lab.until('active', async () => (await third!.state()) === 'active');
    expect((await third!.kubectl('get', 'nodes', '-l', 'late=yes', '-o', 'name')).stdout).toBe('');
  });
});

describe('etcd', () => {
  it('refuses to remove a live voter while another is down', async () => {
    const [first, second, third] = await lab.servers(3);
    third!.kill();
    await lab.clock.advance(10_000);
    await first!.kubectl('delete', 'node', second!.instanceId, '--wait=false');
    await lab.clock.advance(30_000);
    expect(members().map(({ address }) => address)).toContain(second!.address);
    expect(lab.node(second!.instanceId)).toMatchObject({ deleting: true });
  });

  it('refuses a new member until the last voter has been connected for some seconds', async () => {
    const [first, second] = await lab.servers(2);
    await second!.run('systemctl', 'restart', 'k3s');
    const joiner = lab.machine();
    joiner.configure({ server: `https://${first!.address}:6443` });
    await joiner.start();
    await lab.until('it is a voter in the end', () =>
      members().some(({ address, learner }) => address === joiner.address && !learner),
    );
  });

  it('answers /db/info with an error, not with a wrong list, while it has no quorum', async () => {
    const [first, second] = await lab.servers(2);
    second!.kill();
    await lab.clock.advance(1000);
    expect(await first!.curl('https://127.0.0.1:6443/db/info')).toMatchObject({ status: 500 });
  });

  it('removes a member by annotation, the Node staying', async () => {
    const [first, , third] = await lab.servers(3);
    third!.kill();
    await lab.clock.advance(60_000);
    await first!.kubectl('annotate', 'node', third!.instanceId, 'etcd.k3s.cattle.io/remove=true');
    await lab.until('the member is gone', () => members().length === 2, 20);
    expect(lab.node(third!.instanceId)).toMatchObject({ deleting: false });
    await first!.kubectl('delete', 'node', third!.instanceId, '--wait=false');
    await lab.until('the Node is gone', () => lab.node(third!.instanceId) === undefined, 20);
  });
});

describe('a server with its disk', () => {
  it('ignores `server:` and `cluster-init:` once etcd has data', async () => {
    const [first, second] = await lab.servers(2);
    const { cluster } = lab.k3s.state();
    second!.configure({ 'cluster-init': true });
    await second!.run('systemctl', 'restart', 'k3s');
    expect(lab.k3s.state()).toMatchObject({ cluster, clusters: 1 });
    first!.kill();
    second!.kill();
    first!.boot();
    second!.boot();
    await first!.start();
    await second!.start();
    await lab.until('the cluster is back', () => lab.k3s.state().quorum);
    expect(lab.k3s.state()).toMatchObject({ cluster, clusters: 1 });
  });

  it('starts a new cluster with cluster-init on an empty disk, told apart by its CA', async () => {
    const first = await lab.first();
    const ca = first.files.read(`${SERVER_DIR}/tls/server-ca.crt`);
    const second = lab.machine();
    second.configure({ 'cluster-init': true });
    await second.start();
    await lab.until('two clusters', () => lab.k3s.state().clusters === 2);
    expect(second.files.read(`${SERVER_DIR}/tls/server-ca.crt`)).not.toBe(ca);
  });

  it('has its token in the secure form, and that form lets others join', async () => {
    const first = await lab.first();
    const token = first.files.read(`${SERVER_DIR}/token`)!.trim();
    expect(token).toMatch(new RegExp(`^K10[0-9a-f]{64}::server:${TOKEN}$`));
    const second = await lab.join(first, { token });
    expect(lab.node(second.instanceId)?.ready).toBe('True');
  });

  it('refuses to start with another token', async () => {
    const [, second] = await lab.servers(2);
    second!.configure({ token: 'changed' });
    await second!.run('systemctl', 'restart', 'k3s');
    await lab.clock.advance(20_000);
    expect(await second!.journal()).toContain('bootstrap data already found and encrypted with different token');
  });
});

describe('a joiner whose critical settings differ', () => {
  it.each([
    ['cluster-cidr', '10.99.0.0/16'],
    ['service-cidr', '10.98.0.0/16'],
    ['cluster-dns', '10.43.0.99'],
    ['flannel-backend', 'host-gw'],
    ['secrets-encryption', true],
    ['disable', ['servicelb']],
    ['egress-selector-mode', 'disabled'],
    ['agent-token', 'different'],
  ])('exits, naming %s', async (flag, value) => {
    const first = await lab.first();
    const joiner = lab.machine();
    joiner.configure({ server: `https://${first.address}:6443`, [flag]: value });
    await joiner.start();
    await lab.until('K3s exits', async () => (await joiner.journal()).includes('Main process exited'));
    const journal = await joiner.journal();
    expect(journal).toContain(`Critical configuration mismatched: ${flag}`);
    expect(journal).toContain('critical configuration value mismatch between servers');
    expect(members()).toHaveLength(1);
  });
});

describe('systemctl start', () => {
  it('without --no-block waits until K3s is ready', async () => {
    const machine = lab.machine();
    machine.configure({ 'cluster-init': true });
    expect(await machine.run('systemctl', 'start', 'k3s')).toMatchObject({ exitCode: 0 });
    expect(await machine.state()).toBe('active');
  });

  it('without --no-block fails when K3s exits first', async () => {
    const machine = lab.machine();
    machine.configure({ 'cluster-init': true, 'no-such-flag': true });
    const { exitCode, stderr } = await machine.run('systemctl', 'start', 'k3s');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('control process exited with error code');
    expect(await machine.journal()).toContain('flag provided but not defined: -no-such-flag');
  });

  it('says when there is no unit, and when there is no binary', async () => {
    const machine = lab.machine();
    machine.files.remove('/etc/systemd/system/k3s.service');
    expect(await machine.run('systemctl', 'start', 'k3s')).toMatchObject({ exitCode: 5 });
    const other = lab.machine();
    other.files.remove('/usr/local/bin/k3s');
    await other.start();
    await lab.clock.advance(1000);
    expect(await other.journal()).toContain('Failed to execute /usr/local/bin/k3s');
    expect(await other.run('k3s', '--version')).toMatchObject({ exitCode: 127 });
  });
});

describe('the same seed', () => {
  it('gives the same run', async () => {
    const run = async () => {
      const own = new Lab(7);
      const machines = await own.servers(3);
      machines[1]!.kill();
      await own.clock.advance(120_000);
      const state = JSON.stringify(own.k3s.state());
      own.close();
      return state;
    };
    expect(await run()).toBe(await run());
  });
});
