import { accessSync, chmodSync, constants, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SHIM } from './shim';

/**
 * What node scripts may use of this computer: bash and what every Amazon Linux 2023 has in coreutils, grep and sed.
 * Anything else is "command not found", so that a script cannot come to depend on it unnoticed.
 */
const TOOLS = [
  'bash',
  'cat',
  'chmod',
  'cp',
  'cut',
  'dirname',
  'grep',
  'head',
  'ln',
  'ls',
  'mkdir',
  'mktemp',
  'mv',
  'rm',
  'sed',
  'sha256sum',
  'sort',
  'tail',
  'touch',
  'tr',
  'wc',
];

/**
 * Fills `directory` with the two folders of a machine's PATH and returns that PATH.
 * @throws Error naming the tools that this computer lacks
 */
export function createToolbox(directory: string, programs: string[]): string {
  const shims = join(directory, 'shims');
  const tools = join(directory, 'tools');
  mkdirSync(shims, { recursive: true });
  mkdirSync(tools, { recursive: true });
  const shim = join(directory, 'shim');
  writeFileSync(shim, SHIM);
  chmodSync(shim, 0o755);
  for (const program of programs) symlinkSync(shim, join(shims, program));
  const missing = TOOLS.filter((tool) => {
    const path = locate(tool);
    if (path) symlinkSync(path, join(tools, tool));
    return !path;
  });
  if (missing.length > 0) throw new Error(`this computer lacks ${missing.join(', ')}: install coreutils, grep and sed`);
  return [shims, tools].join(delimiter);
}

function locate(tool: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, tool)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
