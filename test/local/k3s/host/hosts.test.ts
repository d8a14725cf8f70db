import { existsSync, readFileSync } from 'node:fs';
import type { Command } from '../../../../local/k3s/command';
import type { HostOptions } from '../../../../local/k3s/host/options';
import { renderScript } from '../../../../nodes/render';
import { type HostKind, INSTANCE, Rig } from '../../../nodes/machine';

async function withRig(
  kind: HostKind,
  subject: (rig: Rig) => Promise<void>,
  options: Partial<HostOptions> = {},
): Promise<void> {
  const rig = await Rig.start(kind, options);
  try {
    await subject(rig);
  } finally {
    await rig.close();
  }
}

/** A killed process that nobody reaped yet is a zombie. */
function isAlive(pid: string): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) Z /.test(readFileSync(path, 'utf8'));
}

const JOIN = { SSM_mode: 'join', SSM_peerAddress: '127.77.1.2', SSM_caHash: '' };
const script = renderScript('start-server');

describe.each(['bash', 'twin'] as const)('a machine on the %s host', (kind) => {
  test('tells the K3s model of its life', () =>
    withRig(kind, async (rig) => {
      await rig.boot();
      rig.machine.freeze();
      await rig.machine.kill();
      await rig.boot();
      await rig.host.erase(INSTANCE);
      const life = ['boot', 'freeze', 'kill', 'boot', 'kill', 'erase'];
      expect(rig.events).toEqual(life.map((event) => `${event} ${INSTANCE}`));
    }));

  test('keeps its disk over a reboot and loses it when erased', () =>
    withRig(kind, async (rig) => {
      await rig.boot();
      rig.files.write('/root/note', 'kept');
      await rig.machine.kill();
      await rig.boot();
      expect(rig.files.read('/root/note')).toBe('kept');
      await rig.host.erase(INSTANCE);
      await rig.boot();
      expect(rig.files.read('/root/note')).toBeUndefined();
    }));

  test('a script is killed at its time limit of AWS time', () =>
    withRig(kind, async (rig) => {
      await rig.ready();
      const start = rig.clock.now();
      const result = await rig.run(script, JOIN, 30);
      expect(result).toMatchObject({ timedOut: true, exitCode: 137, stdout: '' });
      expect(rig.clock.now() - start).toBe(30_000);
    }));

  test('a cancelled script is killed, which is not a timeout', () =>
    withRig(kind, async (rig) => {
      await rig.ready();
      const cancellation = new AbortController();
      const start = rig.clock.now();
      rig.clock.after(10_000, () => cancellation.abort());
      const result = await rig.clock.until(rig.machine.run(script, JOIN, 300, cancellation.signal));
      expect(result).toMatchObject({ timedOut: false, exitCode: 137 });
      expect(rig.clock.now() - start).toBe(10_000);
    }));

  test('a script is rejected when the machine is killed', () =>
    withRig(kind, async (rig) => {
      await rig.ready();
      rig.clock.after(20_000, () => void rig.machine.kill());
      await expect(rig.run(script, JOIN)).rejects.toThrow('powered off');
    }));

  test('a frozen machine answers nothing until it is killed, not even at the time limit', () =>
    withRig(kind, async (rig) => {
      await rig.ready();
      const outcomes: string[] = [];
      const watch = (name: string, run: Promise<unknown>) =>
        run.then(
          () => outcomes.push(`${name} ended`),
          () => outcomes.push(`${name} rejected`),
        );
      watch('running', rig.machine.run(script, JOIN, 60));
      await rig.clock.advance(10_000);
      rig.machine.freeze();
      watch('sent later', rig.machine.run(script, JOIN, 60));
      await rig.clock.advance(3_600_000);
      expect(outcomes).toEqual([]);
      await rig.machine.kill();
      await rig.clock.advance(1);
      expect(outcomes.sort()).toEqual(['running rejected', 'sent later rejected']);
    }));

  test('cannot be booted twice at once', () =>
    withRig(kind, async (rig) => {
      await rig.boot();
      await expect(rig.boot()).rejects.toThrow('running already');
    }));
});

describe('bash', () => {
  test('a program outside the toolbox is not found', () =>
    withRig('bash', async (rig) => {
      await rig.boot({ userData: '' });
      for (const program of ['jq', 'python3', 'awk', 'timeout', 'openssl']) {
        const { exitCode, stderr } = await rig.run(`#!/bin/bash\n${program} --version\n`);
        expect(exitCode).toBe(127);
        expect(stderr).toContain(`${program}: command not found`);
      }
    }));

  test('a script sees its parameters and its machine, and nothing of this process', () =>
    withRig('bash', async (rig) => {
      await rig.boot({ userData: '' });
      const { stdout } = await rig.run('#!/bin/bash\nexport -p\n', { SSM_mode: 'a b' });
      const names = [...stdout.matchAll(/^declare -x (\w+)/gm)].map(([, name]) => name);
      expect(names.sort()).toEqual(
        ['NODE_ROOT', 'NODE_SHIM_PORT', 'NODE_SHIM_SECRET', 'OLDPWD', 'PATH', 'PWD', 'SHLVL', 'SSM_mode'].sort(),
      );
      expect(stdout).toContain('declare -x SSM_mode="a b"');
    }));

  test('arguments, output and exit code pass the shim unchanged, and paths lose the root', () => {
    const systemctl: Command = async (_machine, args, stdin) => ({
      exitCode: 42,
      stdout: `${JSON.stringify(args)}\n\n`,
      stderr: stdin,
    });
    const script =
      '#!/bin/bash\nprintf "%s" "stdin: é\n" | systemctl "a b" "" "é\n\\"" "--file=$NODE_ROOT/etc/x" -; exit $?\n';
    return withRig(
      'bash',
      async (rig) => {
        await rig.boot({ userData: '' });
        const { exitCode, stdout, stderr } = await rig.run(script);
        expect(exitCode).toBe(42);
        expect(stdout).toBe(`${JSON.stringify(['a b', '', 'é\n"', '--file=/etc/x', '-'])}\n\n`);
        expect(stderr).toBe('stdin: é\n');
      },
      { commands: { systemctl } },
    );
  });

  test('a command takes a few milliseconds', () =>
    withRig('bash', async (rig) => {
      await rig.boot({ userData: '' });
      const started = performance.now();
      await rig.run('#!/bin/bash\nfor i in {1..100}; do date +%s; done\n');
      // Some 3 ms each on two idle cores; the bound only catches a heavier shim on a busy machine.
      expect((performance.now() - started) / 100).toBeLessThan(25);
    }));

  test('whatever a script left running dies with the machine', () =>
    withRig('bash', async (rig) => {
      await rig.boot({ userData: '' });
      // Time may pass as soon as anything sleeps: not before the file is written.
      const left = '(until [[ -s $NODE_ROOT/pids ]]; do :; done; sleep 100000)';
      const script = `#!/bin/bash\n${left} &\necho "$$ $!" >"$NODE_ROOT/pids"\nsleep 100000\n`;
      const run = rig.machine.run(script, {}, 1e6);
      run.catch(() => {});
      await rig.clock.advance(1000);
      const pids = rig.files.read('/pids')!.trim().split(' ');
      expect(pids.map(isAlive)).toEqual([true, true]);
      await rig.machine.kill();
      expect(pids.map(isAlive)).toEqual([false, false]);
    }));

  test('closing removes the machines’ disks', async () => {
    const rig = await Rig.start('bash');
    await rig.boot({ userData: '' });
    const { stdout } = await rig.run('#!/bin/bash\nprintf "%s" "$NODE_ROOT"\n');
    expect(existsSync(stdout)).toBe(true);
    await rig.close();
    expect(existsSync(stdout)).toBe(false);
  });
});

test('the twin host refuses a script it has no twin of', () =>
  withRig('twin', async (rig) => {
    await rig.boot({ userData: '' });
    await expect(rig.run('#!/bin/bash\nexit 1\n')).rejects.toThrow('no in-process twin');
  }));
