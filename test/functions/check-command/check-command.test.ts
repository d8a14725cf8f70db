import type { CommandStatus, Invocation } from '../../../functions/aws/commands';
import { checkCommand } from '../../../functions/check-command/check-command';
import type { Script } from '../../../functions/contracts';
import { OURS } from '../support/executions';
import { silent } from '../support/log';

function invocation(status: CommandStatus, fields: Partial<Invocation> = {}): Invocation {
  return { status, finished: true, exitCode: 0, stdout: '', stderr: '', ...fields };
}

async function check(answer: Invocation | null, script: Script = 'RemoveMember') {
  const removed: string[] = [];
  const deps = {
    commands: { invocation: async () => answer },
    leases: {
      removeCommand: async (_execution: unknown, commandId: string) => {
        removed.push(commandId);
      },
    },
  };
  const input = { execution: OURS, commandId: 'c-1', instanceId: 'i-00000001', script };
  const outcome = await checkCommand(input, deps, silent).catch((error: Error) => error);
  return { outcome, removed };
}

describe('a script that succeeded', () => {
  it('answers with the last line of its stdout', async () => {
    const stdout = 'removing\n{"removed":true}\n';
    const { outcome, removed } = await check(invocation('Success', { stdout }));
    expect(outcome).toEqual({ removed: true });
    expect(removed).toEqual(['c-1']);
  });

  it.each([
    ['nothing', '', 'it is empty'],
    ['no JSON', 'done\n', 'is not JSON: done'],
    ['another object', '{"gone":true}\n', 'removed: '],
    ['more than it promised', '{"removed":true,"token":"x"}\n', 'token: is not a known field'],
    ['output that SSM cut off', `${'x'.repeat(23_990)}{"removed"`, '24000 characters'],
  ])('and printed %s broke its promise', async (_what, stdout, message) => {
    const { outcome } = await check(invocation('Success', { stdout }));
    expect(outcome).toMatchObject({ name: 'InvalidScriptOutput', message: expect.stringContaining(message) });
  });

  it('is held to the promise of that very script', async () => {
    const { outcome } = await check(invocation('Success', { stdout: '{"removed":true}' }), 'ApplyManifests');
    expect(outcome).toMatchObject({ name: 'InvalidScriptOutput', message: expect.stringContaining('applied: ') });
  });
});

describe('a script that has not ended', () => {
  it.each([[null], [invocation('InProgress', { finished: false })], [invocation('Cancelling', { finished: false })]])(
    'is asked about again: %j',
    async (answer) => {
      const { outcome, removed } = await check(answer);
      expect(outcome).toMatchObject({ name: 'CommandPending' });
      expect(removed).toEqual([]);
    },
  );
});

describe('a script that failed', () => {
  it('with 75 is to be tried again', async () => {
    const { outcome, removed } = await check(invocation('Failed', { exitCode: 75, stderr: 'not ready\n' }));
    expect(outcome).toMatchObject({ name: 'TryAgain', message: expect.stringContaining('not ready') });
    expect(removed).toEqual(['c-1']);
  });

  it('otherwise failed for good: script, exit code and its last words are named', async () => {
    const stderr = `${Array.from({ length: 9 }, (_, line) => `line ${line}`).join('\n')}\n`;
    const { outcome } = await check(invocation('Failed', { exitCode: 1, stderr }));
    expect(outcome).toMatchObject({
      name: 'ScriptFailed',
      message: 'RemoveMember on i-00000001 exited 1: line 4\nline 5\nline 6\nline 7\nline 8',
    });
  });

  it.each(['Cancelled', 'AccessDenied', 'InvalidPlatform'] as const)('as %s failed for good', async (status) => {
    const { outcome } = await check(invocation(status, { exitCode: -1 }));
    expect(outcome).toMatchObject({ name: 'ScriptFailed', message: expect.stringContaining(status) });
  });

  it.each(['DeliveryTimedOut', 'ExecutionTimedOut', 'Undeliverable', 'Terminated'] as const)(
    'as %s has lost its agent',
    async (status) => {
      const { outcome, removed } = await check(invocation(status, { exitCode: -1 }));
      expect(outcome).toMatchObject({ name: 'AgentLost', message: expect.stringContaining(status) });
      expect(removed).toEqual(['c-1']);
    },
  );
});
