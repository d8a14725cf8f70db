import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CfnResource, Stack, Tags } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { readAssembly } from '../../../local/stack';

const PLACE = { account: '123456789012', region: 'eu-west-3' };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'assembly-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function synthesize(...names: string[]): string {
  const source = join(directory, 'manifests.json');
  writeFileSync(source, '{}');
  const app = new App({ outdir: join(directory, 'cdk.out'), analyticsReporting: false });
  for (const name of names) {
    const stack = new Stack(app, name, { stackName: `k3s-${name}` });
    new CfnResource(stack, 'Thing', { type: 'Test::Thing' });
    new Asset(stack, 'Manifests', { path: source });
    Tags.of(stack).add('k3s:cluster', name);
  }
  return app.synth().directory;
}

describe('a cloud assembly', () => {
  it('gives its template, its tags, and its assets where they would have been published', () => {
    const assembly = readAssembly(synthesize('demo'), PLACE);
    expect(assembly).toMatchObject({ stackName: 'k3s-demo', tags: { 'k3s:cluster': 'demo' } });
    expect(assembly.template.Resources.Thing).toMatchObject({ Type: 'Test::Thing' });
    const manifests = assembly.assets.find(({ path }) => !path.endsWith('template.json'));
    expect(manifests).toMatchObject({ bucket: 'cdk-hnb659fds-assets-123456789012-eu-west-3', packaging: 'file' });
    expect(assembly.asset(manifests!.bucket, manifests!.key)).toBe(manifests);
    expect(assembly.asset(manifests!.bucket, 'other')).toBeUndefined();
  });

  it('holds exactly one stack', () => {
    expect(() => readAssembly(synthesize('one', 'two'), PLACE)).toThrow(
      /must contain exactly one stack, it contains 2$/,
    );
  });

  it('is reported when it is not there or malformed', () => {
    expect(() => readAssembly(directory, PLACE)).toThrow(/manifest\.json cannot be read/);
    writeFileSync(join(directory, 'manifest.json'), '{"artifacts":{"a":{}}}');
    expect(() => readAssembly(directory, PLACE)).toThrow(/artifacts\.a\.type/);
  });
});
