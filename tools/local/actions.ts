/** What the keys of a terminal do to a running cluster. */
import type { EmbeddedAws } from '../../local/embedded';
import type { IncidentRequest } from '../../local/incidents';
import { describeCleared } from '../fault';
import { embeddedTarget } from '../target';
import type { Key } from './keys';
import { timeOfDay } from './tally';

export interface Surroundings {
  aws: EmbeddedAws;
  stack: string;
  /** Of the terminal, columns. */
  width(): number;
  quit(): void;
}

/**
 * Does what a key stands for.
 * @returns what to show; empty: nothing
 * @throws when it cannot be done, with a message for people
 */
export async function act(key: Key, { aws, stack, width, quit }: Surroundings): Promise<string> {
  const inject = (fault: IncidentRequest) => `fault: ${aws.incidents.inject(fault).effect}`;
  switch (key) {
    case 'quit':
      quit();
      return '';
    case 'kill':
      return inject({ kind: 'terminate', instanceId: victim(aws) });
    case 'hang':
      return inject({ kind: 'hang', instanceId: victim(aws) });
    case 'partition':
      return inject({ kind: 'partition', availabilityZone: any(aws.world.zones) });
    case 'clear':
      return describeCleared(aws.incidents.clear());
    case 'inbox':
      return inbox(aws);
    case 'explain': {
      // The AWS SDK takes a while to load: nobody should wait for it who does not ask.
      const { explainText } = await import('../explain.js');
      const { clock } = aws.world;
      const time = { now: () => clock.now(), sleep: (ms: number) => clock.sleep(ms) };
      return `\n${await explainText(embeddedTarget(aws.url, stack, time), width())}\n`;
    }
  }
}

const victim = (aws: EmbeddedAws): string =>
  any(
    aws
      .state()
      .servers.filter(({ state }) => state === 'running')
      .map(({ instanceId }) => instanceId),
  );

/** Any of them: a person who presses a key does not choose. */
function any<T>(candidates: readonly T[]): T {
  const chosen = candidates[Math.floor(Math.random() * candidates.length)];
  if (chosen === undefined) throw new Error('no server runs');
  return chosen;
}

/** What people would have got as e-mail, the newest in full. */
function inbox({ services: { sns } }: EmbeddedAws): string {
  const last = sns.inbox.at(-1);
  if (!last) return 'the inbox is empty';
  const subjects = sns.inbox.map(({ at, subject = '' }) => `  ${timeOfDay(at)}  ${subject}`);
  return `\ninbox:\n${subjects.join('\n')}\n\n${last.message.replaceAll(/^/gm, '    ')}\n`;
}
