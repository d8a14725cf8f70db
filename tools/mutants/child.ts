import { spawn } from 'node:child_process';

export interface Ended {
  /** Null: it was stopped because its time was over. */
  code: number | null;
  /** Both streams. */
  output: string;
}

/** Runs a Node program to its end. A mutant may run for ever: after `limitMs` it is stopped. */
export function runNode(args: string[], cwd: string, limitMs: number): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd });
    let output = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limitMs);
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? null : (code ?? 1), output });
    });
  });
}
