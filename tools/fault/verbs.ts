/** The words of `npm run fault`, and the request that each makes of the embedded AWS. Pure. */
import type { IncidentRequest } from '../../local/incidents';
import { UsageError } from '../arguments';

/** What somebody asks for. */
export type Order = { does: 'inject'; fault: IncidentRequest } | { does: 'clear' } | { does: 'list' };

interface Verb {
  takes: string;
  help: string;
  /** @throws UsageError naming what is missing or wrong */
  order(words: string[]): Order;
}

/** As many as `cluster.json` may ask for. */
const MOST_SERVERS = 5;

type OnServer = 'terminate' | 'stop' | 'hang' | 'k3s-crash' | 'agent-lost';

const onServer = (kind: OnServer, help: string): Verb => ({
  takes: 'SERVER',
  help,
  order: (words) => {
    const [server = ''] = exactly(words, 1, 'which server: server-1, or an instance id');
    return { does: 'inject', fault: { kind, ...parseServer(server) } };
  },
});

const VERBS: Record<string, Verb> = {
  kill: onServer('terminate', 'EC2 terminates the instance'),
  stop: onServer('stop', 'EC2 stops the instance'),
  hang: onServer('hang', 'its kernel hangs: EC2 says running, nothing answers'),
  crash: onServer('k3s-crash', 'K3s crashes again and again; its containers go on'),
  'lose-agent': onServer('agent-lost', 'SSM loses its agent; the server itself is well'),
  partition: {
    takes: 'ZONE',
    help: 'no packet enters or leaves this zone',
    order: (words) => {
      const [availabilityZone = ''] = exactly(words, 1, 'which zone: such as eu-west-3b');
      if (!/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/.test(availabilityZone)) {
        throw new UsageError(`a zone is called like eu-west-3b, not ${availabilityZone}`);
      }
      return { does: 'inject', fault: { kind: 'partition', availabilityZone } };
    },
  },
  'never-boots': {
    takes: 'SERVER',
    help: 'instances launched for it from now on never come up',
    order: (words) => {
      const [server = ''] = exactly(words, 1, 'whose new instances: server-1');
      const { slot } = parseServer(server);
      if (slot === undefined) throw new UsageError(`an instance that does not exist yet has no id: name server-1`);
      if (slot >= MOST_SERVERS) {
        const last = `server-${MOST_SERVERS - 1}`;
        throw new UsageError(`there can be no server-${slot}: a cluster has server-0 to ${last} at most`);
      }
      return { does: 'inject', fault: { kind: 'never-boots', slot } };
    },
  },
  slow: {
    takes: 'SERVICE [FACTOR]',
    help: 'calls of ec2, ssm, dynamodb … take longer: 10 times unless said',
    order: (words) => {
      const [service = '', factor = '10'] = exactly(words, words.length === 2 ? 2 : 1, 'which service: such as ec2');
      const times = Number(factor);
      if (!(times > 1 && times <= 1000)) throw new UsageError(`the factor must be above 1, up to 1000, is ${factor}`);
      return { does: 'inject', fault: { kind: 'slow', service, factor: times } };
    },
  },
  throttle: {
    takes: 'SERVICE',
    help: 'every call of ec2, ssm, dynamodb … is throttled',
    order: (words) => {
      const [service = ''] = exactly(words, 1, 'which service: such as ec2');
      return { does: 'inject', fault: { kind: 'throttle', service } };
    },
  },
  heal: { takes: '', help: 'ends every fault that can end', order: (words) => none(words, { does: 'clear' }) },
  list: { takes: '', help: 'the faults in force', order: (words) => none(words, { does: 'list' }) },
};

/** What they are called as well. */
const SYNONYMS: Record<string, string> = { terminate: 'kill', clear: 'heal' };

/**
 * Reads a command such as `kill server-1`.
 * @throws UsageError naming what is wrong
 */
export function readOrder([word = '', ...words]: string[]): Order {
  const verb = VERBS[SYNONYMS[word] ?? word];
  if (verb) return verb.order(words);
  const known = Object.keys(VERBS).join(', ');
  throw new UsageError(word ? `there is no fault "${word}"; there are ${known}` : `say what is to break: ${known}`);
}

/** The verbs, one a line. */
export function verbHelp(): string {
  const rows = Object.entries(VERBS).map(([name, { takes, help }]) => [`${name} ${takes}`.trim(), help] as const);
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`).join('\n');
}

function parseServer(text: string): { slot?: number; instanceId?: string } {
  const slot = /^(?:server-)?(0|[1-9]\d{0,3})$/.exec(text)?.[1];
  if (slot !== undefined) return { slot: Number(slot) };
  if (/^i-[0-9a-f]{8,17}$/.test(text)) return { instanceId: text };
  throw new UsageError(`a server is called like server-1, or by its instance id, not ${text}`);
}

function exactly(words: string[], count: number, what: string): string[] {
  if (words.length === 0) throw new UsageError(`say ${what}`);
  if (words.length > count) throw new UsageError(`too many words: ${words.slice(count).join(' ')}`);
  return words;
}

function none(words: string[], order: Order): Order {
  if (words.length > 0) throw new UsageError(`too many words: ${words.join(' ')}`);
  return order;
}
