import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseConfig } from '../../infra/config';
import { renderManifests } from '../../infra/manifests';
import type { Servers } from '../local/k3s/servers';
import { apply, delivered, lines, ROOT, startServer } from './delivered';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'k3s-ha-own-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const render = () => renderManifests(ROOT, parseConfig({ manifests: folder }));
const shipped = renderManifests(ROOT, parseConfig({})).length;

const configMap = (name: string, namespace = 'apps') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\ndata: {}\n`;
const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: apps\n';

it('a user’s own objects come after ours, by path, with namespaces first', () => {
  write({
    'b/two.yml': configMap('two'),
    'a.yaml': `# nothing\n---\n${configMap('one')}---\n${configMap('one-more')}`,
    'z.yaml': NAMESPACE,
    'c.json': JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [JSON.parse('{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"three"}}')],
    }),
    'README.md': 'not a manifest',
  });
  const own = render().slice(shipped);
  expect(own.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'Namespace apps',
    'ConfigMap one',
    'ConfigMap one-more',
    'ConfigMap two',
    'ConfigMap three',
  ]);
});

describe('a folder is refused', () => {
  it('with every fault in it', () => {
    write({
      'a.yaml': 'kind: ConfigMap\nmetadata: {}\n',
      'b.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: { name: password }\n',
      'c.yaml': '{ not: [ yaml',
      'd.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: nginx-demo, namespace: nginx-demo }\n',
      'e.yaml': `${configMap('one', 'default')}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: one }\n`,
      'f.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: "a\\n# object: Service - kubernetes" }\n',
      'g.yaml': 'apiVersion: v1\nkind: --all\nmetadata: { name: a, namespace: "a b" }\n',
      'kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: { name: k }\n',
    });
    const text = messageOf(render);
    expect(text).toMatch(/a\.yaml: apiVersion: /);
    expect(text).toMatch(/a\.yaml: metadata\.name: /);
    expect(text).toMatch(/b\.yaml: Secret password must not be here: .* Create secrets with kubectl/);
    expect(text).toMatch(/c\.yaml: /);
    expect(text).toMatch(/d\.yaml: Service nginx-demo must not be here: this project ships it/);
    expect(text).toMatch(/e\.yaml: ConfigMap one must not be here: .*e\.yaml has it as well/);
    expect(text).toMatch(/f\.yaml: metadata\.name: must be a name of letters/);
    expect(text).toMatch(/g\.yaml: kind: must be a kind/);
    expect(text).toMatch(/g\.yaml: metadata\.namespace: must be a namespace/);
    expect(text).toMatch(/kustomization\.yaml: is for kustomize/);
  });

  it('when it is none, or empty', () => {
    expect(messageOf(render)).toContain('has no YAML or JSON file');
    expect(messageOf(() => renderManifests(ROOT, parseConfig({ manifests: 'nowhere' })))).toContain(
      'must be a folder with manifests, nowhere is none',
    );
  });
});

describe('in a cluster', () => {
  let servers: Servers;
  beforeEach(async () => {
    servers = await startServer();
  });
  afterEach(() => servers.close());

  it('they are applied, and deleted when they go from the folder; namespaces stay', async () => {
    write({ 'a.yaml': NAMESPACE, 'b.yaml': configMap('one'), 'c.yaml': configMap('two') });
    await apply(servers, delivered({ manifests: folder }));
    expect(await lines(servers, 'get configmap -n apps -o name')).toEqual(['configmap/one', 'configmap/two']);
    rmSync(join(folder, 'a.yaml'));
    rmSync(join(folder, 'b.yaml'));
    expect(await apply(servers, delivered({ manifests: folder }))).toMatchObject({ pruned: 1 });
    expect(await lines(servers, 'get configmap -n apps -o name')).toEqual(['configmap/two']);
    expect(await apply(servers, delivered({}))).toMatchObject({ pruned: 1 });
    expect(await lines(servers, 'get namespace apps -o name')).toEqual(['namespace/apps']);
  });

  it('an object that names its namespace `default` is the one that did not', async () => {
    write({ 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: one }\n' });
    await apply(servers, delivered({ manifests: folder }));
    write({ 'a.yaml': configMap('one', 'default') });
    expect(await apply(servers, delivered({ manifests: folder }))).toMatchObject({ pruned: 0 });
    expect(await lines(servers, 'get configmap one -o name')).toEqual(['configmap/one']);
  });

  it('one that the API server refuses fails the command, after ours were applied', async () => {
    write({ 'a.yaml': configMap('one', 'missing') });
    await expect(apply(servers, delivered({ manifests: folder }))).rejects.toThrow('namespaces "missing" not found');
    expect(await lines(servers, 'get ingress -A -o name')).toEqual(['ingress.networking.k8s.io/nginx-demo']);
  });
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error('it was accepted');
}
