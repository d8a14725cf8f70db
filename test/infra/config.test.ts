import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, parseConfig } from '../../infra/config';
import { ConfigError, type Fault } from '../../infra/config-error';
import { DEFAULT_K3S_VERSION } from '../../infra/defaults';

function faultsOf(settings: unknown): readonly Fault[] {
  try {
    parseConfig(settings);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

/** The message about one setting; fails the test when it is not the only fault. */
function faultOf(settings: unknown): string {
  const faults = faultsOf(settings);
  expect(faults).toHaveLength(1);
  return `${faults[0]?.path}: ${faults[0]?.message}`;
}

describe('without settings', () => {
  it('is a closed cluster of three servers over public subnets', () => {
    expect(parseConfig({})).toMatchObject({
      name: 'demo',
      k3sVersion: DEFAULT_K3S_VERSION,
      servers: 3,
      architecture: 'x86_64',
      network: { mode: 'public', cidr: '10.20.0.0/16' },
      apiCidrs: [],
      demo: { enabled: true, replicas: 3 },
    });
  });

  it('takes instance types of the architecture', () => {
    expect(parseConfig({}).instanceTypes).toContain('t3.medium');
    expect(parseConfig({ architecture: 'arm64' }).instanceTypes).toContain('t4g.medium');
  });
});

describe('every fault is reported at once', () => {
  it('with its setting, in columns', () => {
    let message = '';
    try {
      parseConfig({ servers: 4, domain: 'demo.example.org', instanceTypes: ['t4g.medium'], colour: 'red' });
    } catch (error) {
      message = error instanceof Error ? error.message : '';
    }
    expect(message).toBe(
      [
        'cluster.json is not valid:',
        '  servers          must be 3 or 5, is 4 (an even number of etcd voters survives no more failures than one less)',
        '  colour           is not a setting; known here: name, region, k3sVersion, k3sSha256, servers, architecture, instanceTypes, volumeGib, network, apiCidrs, domain, acme, alertEmail, manifests, tcpechoImage, demo',
        "  acme.email       is required when a domain is set (Let's Encrypt registers an account with it)",
        '  instanceTypes.0  must be of architecture x86_64, t4g.medium is arm64; set "architecture" to match',
      ].join('\n'),
    );
  });

  it('as usage errors', () => {
    expect(() => parseConfig({ servers: 4 })).toThrow(expect.objectContaining({ name: 'ConfigError', exitCode: 2 }));
  });

  it('also when it is no object at all', () => {
    expect(faultsOf([])).toEqual([{ path: '', message: 'must be an object, is []' }]);
  });
});

describe('a single wrong setting is named with what it must be', () => {
  it.each<[object, string]>([
    [{ name: 'Demo' }, 'name: must be 3 to 22 lower-case letters'],
    [{ name: 'a2345678901234567890123' }, 'name: must be 3 to 22 lower-case letters'],
    [{ name: 'demo-delete' }, 'name: must be a name without "-delete" at its end'],
    [{ region: 'Paris' }, 'region: must be an AWS region such as "eu-west-3", is "Paris"'],
    [{ k3sVersion: 'v1.34.9+k3s1' }, 'k3sVersion: must be a K3s release from v1.35 on'],
    [{ k3sVersion: 'latest' }, 'k3sVersion: must be a K3s release'],
    [{ k3sSha256: { x86_64: 'abc' } }, 'k3sSha256.x86_64: must be a SHA-256 checksum'],
    [{ k3sSha256: { amd64: 'a'.repeat(64) } }, 'k3sSha256.amd64: is not a setting; known here: x86_64, arm64'],
    [{ servers: '3' }, 'servers: must be 3 or 5, is "3"'],
    [{ servers: 1 }, 'servers: must be 3 or 5, is 1'],
    [{ architecture: 'amd64' }, 'architecture: must be "x86_64" or "arm64", is "amd64"'],
    [{ instanceTypes: [] }, 'instanceTypes: must be a list of at least one instance type'],
    [{ instanceTypes: 't3.medium' }, 'instanceTypes: must be a list of instance types, is "t3.medium"'],
    [{ instanceTypes: ['medium'] }, 'instanceTypes.0: must be an instance type such as "t3.medium"'],
    [{ instanceTypes: ['t3.micro'] }, 'instanceTypes.0: must have 2 vCPUs and 2 GiB, t3.micro has less'],
    [{ architecture: 'arm64', instanceTypes: ['t3.medium'] }, 'instanceTypes.0: must be of architecture arm64'],
    [{ volumeGib: 1 }, 'volumeGib: must be a whole number from 10 to 1000, is 1'],
    [{ network: { mode: 'hidden' } }, 'network.mode: must be "public" or "private", is "hidden"'],
    [{ network: { nat: 'single' } }, 'network.nat: has no meaning when network.mode is "public"'],
    [{ network: { cidr: '10.20.0.1/16' } }, 'network.cidr: must be an IPv4 network such as'],
    [{ network: { cidr: '172.0.0.0/8' } }, 'network.cidr: must be between /16'],
    [{ network: { cidr: '10.20.0.0/28' } }, 'network.cidr: must be between /16'],
    [{ network: { cidr: '10.42.8.0/24' } }, 'network.cidr: must not overlap 10.42.0.0/16, which K3s uses for pods'],
    [{ network: { cidr: '10.43.0.0/16' } }, 'network.cidr: must not overlap 10.43.0.0/16, which K3s uses for services'],
    [{ network: { subnets: 3 } }, 'network.subnets: is not a setting; known here: mode, nat, cidr, availabilityZones'],
    [
      { network: { availabilityZones: ['eu-west-3a', 'eu-west-3b'] } },
      'network.availabilityZones: must be 3 to 5 zones',
    ],
    [
      { network: { availabilityZones: ['eu-west-3a', 'eu-west-3b', 'eu-west-3b'] } },
      'network.availabilityZones: must be different zones',
    ],
    [
      { network: { availabilityZones: ['eu-west-3a', 'eu-west-3b', 'eu-west-1c'] } },
      'network.availabilityZones.2: must be in the region of the first zone, is eu-west-1c',
    ],
    [
      { region: 'eu-west-3', network: { availabilityZones: ['eu-west-3a', 'eu-west-3b', 'eu-west-1c'] } },
      'network.availabilityZones.2: must be in eu-west-3, is eu-west-1c',
    ],
    [{ apiCidrs: ['203.0.113.7'] }, 'apiCidrs.0: must be an IPv4 network'],
    [{ apiCidrs: '203.0.113.7/32' }, 'apiCidrs: must be a list of IPv4 networks'],
    [{ domain: 'localhost', acme: { email: 'ops@example.org' } }, 'domain: must be a domain name in lower case'],
    [{ domain: 'demo.example.org' }, 'acme.email: is required when a domain is set'],
    [{ acme: { email: 'ops' } }, 'acme.email: must be an e-mail address, is "ops"'],
    [{ acme: { server: 'live' } }, 'acme.server: must be "staging" or "production"'],
    [{ alertEmail: 7 }, 'alertEmail: must be an e-mail address, is 7'],
    [{ manifests: '' }, 'manifests: must be a folder such as "my-manifests", is ""'],
    [{ tcpechoImage: 'alpine/socat' }, 'tcpechoImage: must be an image with a tag other than latest'],
    [{ tcpechoImage: 'alpine/socat:latest' }, 'tcpechoImage: must be an image with a tag other than latest'],
    [{ demo: { replicas: 0 } }, 'demo.replicas: must be a whole number from 1 to 100, is 0'],
    [{ demo: { enabled: 'yes' } }, 'demo.enabled: must be true or false, is "yes"'],
    [{ demo: null }, 'demo: must be an object, is null'],
  ])('%j', (settings, message) => {
    expect(faultOf(settings)).toContain(message);
  });
});

describe('what people set', () => {
  it('is taken', () => {
    const settings = {
      name: 'prod-1',
      region: 'eu-west-3',
      servers: 5,
      architecture: 'arm64',
      instanceTypes: ['m7g.large'],
      network: { mode: 'private', nat: 'single', cidr: '172.20.0.0/20' },
      apiCidrs: ['203.0.113.0/24'],
      domain: 'demo.example.org',
      acme: { email: 'ops@example.org', server: 'production' },
      alertEmail: 'ops@example.org',
      manifests: 'my-manifests',
      tcpechoImage: `registry.example.org/tcpecho@sha256:${'a'.repeat(64)}`,
      demo: { enabled: false, replicas: 6 },
    };
    expect(parseConfig(settings)).toMatchObject(settings);
  });
});

it('the example is valid', () => {
  expect(loadConfig(join(__dirname, '../../cluster.example.json')).name).toBe('demo');
});

describe('the file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'k3s-ha-config-'));
  const file = join(folder, 'cluster.json');
  afterAll(() => rmSync(folder, { recursive: true }));

  it('may be absent', () => {
    expect(loadConfig(join(folder, 'none.json'))).toEqual(parseConfig({}));
  });

  it('is read', () => {
    writeFileSync(file, '{"$schema": "x", "name": "other"}');
    expect(loadConfig(file).name).toBe('other');
  });

  it('must be JSON', () => {
    writeFileSync(file, '{"name": }');
    expect(() => loadConfig(file)).toThrow(/^cluster\.json is not valid:\n {2}is not JSON: /);
  });
});
