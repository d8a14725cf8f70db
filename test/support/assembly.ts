/**
 * The cloud assembly that end-to-end tests deploy: the functions bundled and the stack synthesized with the default
 * configuration, as for a deployment. Its folder is named after everything it is made of, so that it is made anew
 * whenever any of that changes, and only then.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../infra/config';
import { synthesize } from '../../infra/synth';
import { bundle } from '../../tools/bundle';
import { assembly, setAssembly } from './assembly-path';

const ROOT = join(__dirname, '../..');
const STORE = join(ROOT, '.build/test');
const SOURCES = [
  'functions',
  'infra',
  'manifests',
  'nodes',
  'statemachine',
  'tools/bundle.ts',
  'tools/bundle',
  'package-lock.json',
];
/** Other runs may still read an assembly for as long as this after they began; what was not finished by then never is. */
const KEEP_MS = 3_600_000;

/** An assembly of other settings than the defaults, with the functions of this run. The caller removes it. */
export function assemblyWith(settings: object): string {
  const outdir = mkdtempSync(join(tmpdir(), 'k3s-ha-assembly-'));
  const bundles = join(assembly(), '../functions');
  synthesize({ root: ROOT, config: parseConfig(settings), bundles, outdir });
  return outdir;
}

/** Makes the assembly, unless it exists, and tells this run's tests where it is. */
export async function prepareAssembly(): Promise<void> {
  const target = join(STORE, digest());
  if (!existsSync(target)) await make(target);
  const now = new Date();
  utimesSync(target, now, now);
  discardOld();
  setAssembly(join(target, 'cdk.out'));
}

async function make(target: string): Promise<void> {
  mkdirSync(STORE, { recursive: true });
  const scratch = mkdtempSync(join(STORE, 'making-'));
  const bundles = join(scratch, 'functions');
  await bundle(bundles);
  synthesize({ root: ROOT, config: parseConfig({}), bundles, outdir: join(scratch, 'cdk.out') });
  // At once or not at all: a run that is interrupted leaves nothing that looks finished.
  try {
    renameSync(scratch, target);
  } catch (error) {
    // Another run has made the very same meanwhile.
    if (!existsSync(target)) throw error;
    rmSync(scratch, { recursive: true });
  }
}

function discardOld(): void {
  for (const name of readdirSync(STORE)) {
    const path = join(STORE, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age > KEEP_MS) rmSync(path, { recursive: true, force: true });
  }
}

function digest(): string {
  const hash = createHash('sha256').update(process.version);
  for (const file of SOURCES.flatMap(files))
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

function files(path: string): string[] {
  if (!statSync(join(ROOT, path)).isDirectory()) return [path];
  return readdirSync(join(ROOT, path))
    .sort()
    .flatMap((name) => files(join(path, name)));
}
