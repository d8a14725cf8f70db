import { parse } from 'yaml';
import { PORT } from '../../infra/lib/ports';
import type { K3sUrls } from '../../local/k3s/command';
import { keptForNames, parsePortRange } from '../../local/k3s/node-ports';
import { renderScript, renderUserData } from '../../nodes/render';
import { ADDRESS, type HostKind, INSTANCE, REGISTRY_PASSWORD, Rig, USER_DATA } from './machine';

async function withRig(kind: HostKind, subject: (rig: Rig) => Promise<void>, extra = {}): Promise<void> {
  const rig = await Rig.start(kind, extra);
  try {
    await subject(rig);
  } finally {
    await rig.close();
  }
}

async function prepared(kind: HostKind, settings: Partial<typeof USER_DATA> = {}, spec = {}) {
  let snapshot: Record<string, string> = {};
  let calls: string[] = [];
  let logs: string[] = [];
  await withRig(kind, async (rig) => {
    await rig.ready({ userData: renderUserData({ ...USER_DATA, ...settings }), ...spec });
    snapshot = rig.snapshot();
    calls = [...rig.k3s.calls];
    logs = [...rig.logs];
  });
  return { snapshot, calls, logs };
}

test('script and twin leave the same machine behind', async () => {
  const bash = await prepared('bash');
  expect(bash.snapshot['/var/lib/k3s-ha/ready']).toBe('v1.33.5+k3s1\n');
  expect((await prepared('twin')).snapshot).toEqual(bash.snapshot);
});

describe.each(['bash', 'twin'] as const)('user data (%s)', (kind) => {
  test('describes the machine from its metadata', async () => {
    const { snapshot } = await prepared(kind);
    expect(snapshot['/etc/k3s-ha/node.env']).toBe(
      [
        'CLUSTER=demo',
        'REGION=eu-west-3',
        'TOKEN_SECRET=k3s-demo/token',
        `TLS_SAN=${USER_DATA.TLS_SAN}`,
        'K3S_VERSION=v1.33.5+k3s1',
        `INSTANCE_ID=${INSTANCE}`,
        `PRIVATE_IP=${ADDRESS}`,
        'AVAILABILITY_ZONE=eu-west-3a',
        '',
      ].join('\n'),
    );
    expect(snapshot['/etc/rancher/k3s/config.yaml']).toContain(`node-name: ${INSTANCE}\n`);
  });

  test('leaves the port of the health check to the service that names it', async () => {
    const { snapshot } = await prepared(kind);
    const config: { 'service-node-port-range': string } = parse(snapshot['/etc/rancher/k3s/config.yaml'] ?? '');
    const range = parsePortRange(config['service-node-port-range']);
    expect(range?.first).toBe(PORT.health);
    expect(range && keptForNames(range)).toBeGreaterThan(0);
  });

  test('neither enables nor starts K3s, and never tells it to start a cluster', async () => {
    const { snapshot, calls } = await prepared(kind);
    expect(calls).toEqual(['systemctl daemon-reload']);
    expect(JSON.stringify(snapshot)).not.toContain('cluster-init');
  });

  test('installs K3s on both architectures', async () => {
    const { snapshot } = await prepared(kind, {}, { architecture: 'x86_64' });
    expect(snapshot['/usr/local/bin/k3s']).toMatch(/^#!\/bin\/bash/);
  });

  test('a binary with another checksum than the pinned one is not installed', async () => {
    const { snapshot, logs } = await prepared(kind, { K3S_SHA256: '0'.repeat(64) });
    expect(snapshot['/var/lib/k3s-ha/ready']).toBeUndefined();
    expect(snapshot['/usr/local/bin/k3s']).toBeUndefined();
    expect(snapshot['/usr/local/bin/k3s.new']).toBeUndefined();
    expect(snapshot['/var/lib/k3s-ha/failed']).toMatch(
      /^user data failed: the checksum of K3s v1.33.5\+k3s1 is [0-9a-f]{64}, expected 0/,
    );
    expect(logs).toEqual([expect.stringContaining('user data failed')]);
  });

  test('a version that does not exist fails after bounded attempts, and says so', async () => {
    const { snapshot } = await prepared(kind, { K3S_VERSION: 'latest' });
    expect(snapshot['/var/lib/k3s-ha/failed']).toBe('user data failed: downloading the checksums failed 5 times\n');
  });

  test('a reboot does not run it again', async () => {
    await withRig(kind, async (rig) => {
      await rig.ready();
      await rig.machine.kill();
      rig.files.remove('/var/lib/k3s-ha/ready');
      await rig.ready();
      expect(rig.files.read('/var/lib/k3s-ha/ready')).toBeUndefined();
    });
  });

  test('cut short by a power cycle, it is never finished, and the report says so', async () => {
    await withRig(kind, async (rig) => {
      await rig.boot();
      await rig.machine.kill();
      await rig.ready();
      const { exitCode, stdout } = await rig.run(renderScript('report-status'));
      expect({ exitCode, said: JSON.parse(stdout) }).toMatchObject({ exitCode: 0, said: { k3s: 'preparing' } });
    });
  });
});

test('after failed user data every node command fails at once, with its reason, and the report says that K3s has failed', async () => {
  const nobody: K3sUrls = async () => undefined;
  await withRig(
    'bash',
    async (rig) => {
      await rig.ready({ userData: renderUserData({ ...USER_DATA, K3S_SHA256: '0'.repeat(64) }) });
      const { exitCode, stderr } = await rig.run(renderScript('start-server'), { SSM_mode: 'init' });
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^error: user data failed: the checksum of K3s/);
      const report = await rig.run(renderScript('report-status'));
      expect(report).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^user data failed: the checksum/) });
      expect(JSON.parse(report.stdout)).toMatchObject({ k3s: 'failed', apiReady: false });
    },
    { urls: nobody },
  );
});

describe.each(['bash', 'twin'] as const)('the login to the registry (%s)', (kind) => {
  const PROVIDERS = '/var/lib/rancher/credentialprovider';

  test('is what the kubelet asks a provider for, and K3s finds both', async () => {
    const { snapshot } = await prepared(kind);
    expect(parse(snapshot[`${PROVIDERS}/config.yaml`] ?? '')).toEqual({
      apiVersion: 'kubelet.config.k8s.io/v1',
      kind: 'CredentialProviderConfig',
      providers: [
        {
          name: 'ecr-login',
          apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
          matchImages: [USER_DATA.REGISTRY],
          defaultCacheDuration: '6h',
        },
      ],
    });
  });

  test('is the one that ECR gives the node', async () => {
    await withRig(kind, async (rig) => {
      await rig.ready();
      const { exitCode, stdout } = await rig.clock.until(rig.context.execute(`${PROVIDERS}/bin/ecr-login`));
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toEqual({
        apiVersion: 'credentialprovider.kubelet.k8s.io/v1',
        kind: 'CredentialProviderResponse',
        cacheKeyType: 'Registry',
        cacheDuration: '6h0m0s',
        auth: { [USER_DATA.REGISTRY]: { username: 'AWS', password: REGISTRY_PASSWORD } },
      });
      expect(rig.aws.scopes.at(-1)).toMatch(/^ASIANODE\/\d{8}\/eu-west-3\/ecr\//);
    });
  });

  test('fails when the role may not, without half an answer', async () => {
    await withRig(kind, async (rig) => {
      await rig.ready();
      rig.aws.error = { status: 400, code: 'AccessDeniedException' };
      const { exitCode, stdout } = await rig.clock.until(rig.context.execute(`${PROVIDERS}/bin/ecr-login`));
      expect({ exitCode, stdout }).toEqual({ exitCode: 254, stdout: '' });
    });
  });

  test('is not there when there is no registry', async () => {
    const { snapshot } = await prepared(kind, { REGISTRY: '' });
    expect(Object.keys(snapshot).filter((path) => path.startsWith(PROVIDERS))).toEqual([]);
    expect(snapshot['/var/lib/k3s-ha/ready']).toBeDefined();
  });
});
