import { parseIncident } from '../../local/incidents';
import { UsageError } from '../../tools/arguments';
import { carryOut, describeCleared } from '../../tools/fault';
import { readOrder, verbHelp } from '../../tools/fault/verbs';

const read = (text: string) => readOrder(text.split(' ').filter(Boolean));

describe('the words of npm run fault', () => {
  it.each([
    ['kill server-1', { kind: 'terminate', slot: 1 }],
    ['terminate 1', { kind: 'terminate', slot: 1 }],
    // Which servers there are is known only there.
    ['kill server-9', { kind: 'terminate', slot: 9 }],
    ['stop i-0123456789abcdef0', { kind: 'stop', instanceId: 'i-0123456789abcdef0' }],
    ['hang server-0', { kind: 'hang', slot: 0 }],
    ['crash server-2', { kind: 'k3s-crash', slot: 2 }],
    ['lose-agent server-2', { kind: 'agent-lost', slot: 2 }],
    ['partition eu-west-3b', { kind: 'partition', availabilityZone: 'eu-west-3b' }],
    ['never-boots server-1', { kind: 'never-boots', slot: 1 }],
    ['slow ec2', { kind: 'slow', service: 'ec2', factor: 10 }],
    ['slow ssm 3', { kind: 'slow', service: 'ssm', factor: 3 }],
    ['throttle dynamodb', { kind: 'throttle', service: 'dynamodb' }],
  ])('"%s" is a fault that the embedded AWS knows', (text, fault) => {
    expect(read(text)).toEqual({ does: 'inject', fault });
    expect(() => parseIncident(fault)).not.toThrow();
  });

  it('heal and clear end the faults, list shows them', () => {
    expect(read('heal')).toEqual({ does: 'clear' });
    expect(read('clear')).toEqual({ does: 'clear' });
    expect(read('list')).toEqual({ does: 'list' });
  });

  it.each([
    ['', /say what is to break: kill, stop, hang/],
    ['explode server-1', /there is no fault "explode"; there are kill/],
    ['kill', /say which server/],
    ['kill node-1', /is called like server-1, or by its instance id, not node-1/],
    ['never-boots server-9', /there can be no server-9: a cluster has server-0 to server-4 at most/],
    ['kill server-1 server-2', /too many words: server-2/],
    ['never-boots i-0123456789abcdef0', /has no id: name server-1/],
    ['partition b', /called like eu-west-3b, not b/],
    ['slow ec2 0', /factor must be above 1, up to 1000, is 0/],
    ['list all', /too many words: all/],
  ])('"%s" is refused in one line', (text, message) => {
    expect(() => read(text)).toThrow(UsageError);
    expect(() => read(text)).toThrow(message);
  });

  it('are all in the help text', () => {
    for (const verb of ['kill SERVER', 'partition ZONE', 'slow SERVICE [FACTOR]', 'heal', 'list'])
      expect(verbHelp()).toContain(verb);
  });
});

describe('npm run fault', () => {
  const answer = (status: number, body: unknown) =>
    jest.spyOn(globalThis, 'fetch').mockResolvedValue(new Response(JSON.stringify(body), { status }));
  const report = { id: 'fault-1', at: '2026-11-22T14:02:11.000Z', kind: 'hang', effect: 'server-1 hangs', slot: 1 };

  afterEach(() => jest.restoreAllMocks());

  it('posts the fault and says what it did', async () => {
    const fetched = answer(200, report);
    expect(await carryOut('http://here', read('hang server-1'))).toBe('server-1 hangs');
    const [url, request] = fetched.mock.calls[0] ?? [];
    expect([url, request?.method, request?.body]).toEqual([
      'http://here/_local/faults',
      'POST',
      '{"kind":"hang","slot":1}',
    ]);
  });

  it('lists what is in force', async () => {
    answer(200, [report]);
    expect(await carryOut('http://here', { does: 'list' })).toBe('fault-1  since 14:02:11  server-1 hangs');
    answer(200, []);
    expect(await carryOut('http://here', { does: 'list' })).toBe('no fault is in force');
  });

  it('hands on why the embedded AWS refuses', async () => {
    const error = 'there is no server-4: there are server-0, server-1, server-2';
    answer(404, { error });
    await expect(carryOut('http://here', read('kill server-4'))).rejects.toThrow(error);
  });

  it('says how to start an embedded AWS when none answers', async () => {
    jest.spyOn(globalThis, 'fetch').mockRejectedValue(new TypeError('fetch failed'));
    await expect(carryOut('http://here', { does: 'list' })).rejects.toThrow('"npm run local" starts one');
  });

  it('says which faults have ended and which last', () => {
    expect(describeCleared({ ended: [{ effect: 'ec2 is slow' }], remaining: [{ effect: 'server-1 hangs' }] })).toBe(
      'ended: ec2 is slow\nlasts: server-1 hangs',
    );
    expect(describeCleared({ ended: [], remaining: [] })).toBe('no fault was in force');
  });
});
