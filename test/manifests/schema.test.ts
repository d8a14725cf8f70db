import { join } from 'node:path';
import { parseConfig } from '../../infra/config';
import { type KubernetesObject, renderManifests } from '../../infra/manifests';
import { faultsOf } from '../support/kubernetes-schema';

const objects = renderManifests(
  join(__dirname, '../..'),
  parseConfig({ domain: 'demo.example.org', acme: { email: 'ops@example.org' } }),
);
const name = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;

test.each(objects.map((object) => [name(object), object] as const))('%s is as its API wants it', (_, object) => {
  expect(faultsOf(object)).toEqual([]);
});

describe('the check', () => {
  const find = (kind: string) => structuredClone(objects.find((object) => object.kind === kind)!);
  const change = (kind: string, change: object) => faultsOf(Object.assign(find(kind), change));

  it.each([
    [
      'a misspelt field',
      'Deployment',
      { spec: { ...Object(find('Deployment').spec), replica: 3 } },
      '/spec/replica is unknown',
    ],
    [
      'a field deep inside',
      'NetworkPolicy',
      { spec: { podSelector: { matchLabel: {} } } },
      '/spec/podSelector/matchLabel is unknown',
    ],
    ['a wrong type', 'Service', { spec: { ports: [{ port: 'eighty' }] } }, 'data/spec/ports/0/port must be integer'],
    [
      'a missing field',
      'ClusterIssuer',
      { spec: { acme: { privateKeySecretRef: { name: 'a' } } } },
      'data/spec/acme must have required property server',
    ],
    [
      'an unknown setting of a chart',
      'HelmChart',
      { spec: { chart: 'a', versio: '1' } },
      'spec Unrecognized key: "versio"',
    ],
  ])('finds %s', (_, kind, edit, fault) => {
    expect(change(kind, edit)).toContain(fault);
  });
});
