/** The same sources give the same assembly, wherever they are, without an account and without asking anybody. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { bundles, cleanUp, ROOT, STEPS, synth } from './stack';

const MANIFEST = z.looseObject({ missing: z.array(z.unknown()).optional() });
const ASSETS = z.object({ files: z.record(z.string(), z.unknown()) });

const directories: string[] = [];
afterAll(() => {
  cleanUp();
  for (const directory of directories) rmSync(directory, { recursive: true });
});

/** The template, what would be uploaded, and what the CDK would still have to ask for. */
function assemblyIn(place: string, settings: object) {
  const root = mkdtempSync(join(tmpdir(), place));
  directories.push(root);
  for (const folder of ['manifests', 'statemachine', 'tcpecho']) {
    cpSync(join(ROOT, folder), join(root, folder), { recursive: true });
  }
  const { outdir, text } = synth(settings, { root, bundles: bundles(STEPS) });
  const read = (name: string): unknown => JSON.parse(readFileSync(join(outdir, name), 'utf8'));
  const stack = 'k3s-demo';
  return {
    text,
    assets: Object.keys(ASSETS.parse(read(`${stack}.assets.json`)).files),
    missing: MANIFEST.parse(read('manifest.json')).missing ?? [],
  };
}

describe.each([{}, { network: { mode: 'private' }, region: 'eu-west-3', alertEmail: 'ops@example.org' }])(
  'with %j',
  (settings) => {
    const first = assemblyIn('k3s-ha-here-', settings);
    const second = assemblyIn('k3s-ha-somewhere-else-', settings);

    it('the template is the same', () => {
      expect(second.text).toBe(first.text);
    });

    it('the assets are the same', () => {
      expect(first.assets.length).toBeGreaterThan(STEPS.length);
      expect(second.assets).toEqual(first.assets);
    });

    it('nothing is looked up', () => {
      expect(first.missing).toEqual([]);
    });
  },
);
