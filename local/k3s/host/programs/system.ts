/** The small programs of an instance that must not touch this computer: its clock, kernel settings and architecture. */
import type { Clock } from '../../../clock';
import type { Commands } from '../../command';
import { failure, success } from './result';

/** `date +%s`, `sleep <seconds>`, `sysctl --quiet --load=<file>`, `uname -m`; other arguments are refused. */
export function systemPrograms(clock: Clock): Commands {
  return {
    async date(_machine, args) {
      if (args.join(' ') !== '+%s') return unknown('date', args);
      return success(`${Math.floor(clock.now() / 1000)}\n`);
    },

    async sleep({ signal }, args) {
      const [seconds = ''] = args;
      if (args.length !== 1 || !/^\d+(\.\d+)?s?$/.test(seconds)) return unknown('sleep', args);
      await clock.sleep(Number.parseFloat(seconds) * 1000, signal);
      return success();
    },

    async sysctl({ files }, args) {
      const [quiet, load] = args;
      const path = /^--load=(.+)$/.exec(load ?? '')?.[1];
      if (args.length !== 2 || quiet !== '--quiet' || !path) return unknown('sysctl', args);
      const text = files.read(path);
      if (text === undefined) return failure(1, `sysctl: cannot open "${path}": No such file or directory`);
      const malformed = text.split('\n').find((line) => !/^(\s*|[#;].*|[a-z][\w./-]+\s*=\s*\S.*)$/.test(line));
      return malformed === undefined ? success() : failure(1, `sysctl: ${path}: invalid syntax: ${malformed}`);
    },

    async uname({ spec }, args) {
      if (args.join(' ') !== '-m') return unknown('uname', args);
      return success(spec.architecture === 'arm64' ? 'aarch64\n' : 'x86_64\n');
    },
  };
}

const unknown = (program: string, args: readonly string[]) =>
  failure(2, `${program}: the embedded AWS does not know these arguments: ${args.join(' ')}`);
