/**
 * What reaches a script of a node command is text to it, also what SSM would never let through. It really runs, in bash:
 * a minute of computing for all parameters.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NODE_COMMANDS } from '../../../infra/lib/documents';
import { renderScript } from '../../../nodes/render';
import { ADDRESS, INSTANCE, Rig } from '../machine';
import { CURIOSITIES, commands, PARAMETERS, VALID } from './hostile';

const directory = mkdtempSync(join(tmpdir(), 'k3s-ha-canary-'));
const CANARY = join(directory, 'canary');
afterAll(() => rmSync(directory, { recursive: true }));

const HOSTILE = [...commands(CANARY), ...CURIOSITIES];

describe.each(PARAMETERS)('%s: what its script takes for %s', (command, name) => {
  it('is text to it, whatever it is', async () => {
    const rig = await Rig.start('bash');
    try {
      await rig.ready();
      // A server of the cluster that is asked about, whose K3s gives up at once when it is started.
      rig.k3s.onStart = () => rig.k3s.log('token CA hash does not match');
      if (command !== 'StartServer') rig.k3s.serve(rig, INSTANCE, ADDRESS);
      const before = new Set(Object.keys(rig.snapshot()));
      // SSM's engine may let a line break pass at the end of a value.
      for (const value of [...HOSTILE, `${VALID[command][name]}\n`]) {
        const environment = Object.entries({ ...VALID[command], [name]: value }).map(([key, text]) => [
          `SSM_${key}`,
          text,
        ]);
        await rig.run(renderScript(NODE_COMMANDS[command].stem), Object.fromEntries(environment));
        expect({ value, done: existsSync(CANARY) }).toEqual({ value, done: false });
        rig.files.remove('/var/lib/k3s-ha/failed');
      }
      const written = Object.keys(rig.snapshot()).filter((path) => !before.has(path));
      expect(written.filter((path) => !OURS.test(path))).toEqual([]);
    } finally {
      await rig.close();
    }
  });
});

/** What the commands write. */
const OURS =
  /^\/(var\/lib\/k3s-ha\/[a-z-]+(\.yaml)?|etc\/rancher\/k3s\/(cluster-token|config\.yaml\.d\/50-cluster\.yaml))$/;

it('the canary is made when a value is more than text', async () => {
  const rig = await Rig.start('bash');
  try {
    await rig.ready();
    for (const script of ['eval "$SSM_mode"', 'eval "x=$SSM_mode"', '((SSM_mode)) || true', 'eval "x=\'$SSM_mode\'"']) {
      let made = 0;
      for (const value of commands(CANARY)) {
        await rig.run(`#!/bin/bash\n${script}\n`, { SSM_mode: value });
        if (existsSync(CANARY)) made++;
        rmSync(CANARY, { force: true });
      }
      expect({ script, seen: made > 0 }).toEqual({ script, seen: true });
    }
  } finally {
    await rig.close();
  }
});
