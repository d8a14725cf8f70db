import type { CommandResult } from '../../command';

export const success = (stdout = ''): CommandResult => ({ exitCode: 0, stdout, stderr: '' });

export const failure = (exitCode: number, stderr: string): CommandResult => ({
  exitCode,
  stdout: '',
  stderr: stderr.endsWith('\n') ? stderr : `${stderr}\n`,
});
