import { StatesError } from '../../../local/states-language';
import { matches } from '../../../local/states-language/errors';
import { failing, Harness, INVOKE, succeeded, task } from './harness';

describe('an error name', () => {
  it.each<[string, string, boolean]>([
    ['Custom', 'Custom', true],
    ['Custom', 'custom', false],
    ['Custom', 'States.ALL', true],
    ['Custom', 'States.TaskFailed', true],
    ['States.Timeout', 'States.ALL', true],
    ['States.Timeout', 'States.TaskFailed', false],
    ['States.HeartbeatTimeout', 'States.Timeout', true],
    ['States.HeartbeatTimeout', 'States.TaskFailed', false],
    ['States.QueryEvaluationError', 'States.ALL', true],
    ['States.DataLimitExceeded', 'States.ALL', false],
    ['States.DataLimitExceeded', 'States.TaskFailed', false],
    ['States.DataLimitExceeded', 'States.DataLimitExceeded', true],
    ['States.Runtime', 'States.ALL', false],
    ['States.Runtime', 'States.Runtime', false],
  ])('%s against ErrorEquals %s: %s', (error, name, expected) => {
    expect(matches([name], new StatesError(error, undefined))).toBe(expected);
  });

  it('can be missing, and is then caught by the wildcards', () => {
    expect(matches(['States.ALL'], new StatesError(undefined, undefined))).toBe(true);
  });
});

describe('Retry', () => {
  const times = async (Retry: object[], ...errors: string[]) => {
    const at: number[] = [];
    const fail = failing(...errors);
    const run: Harness = new Harness((request, attempt) => {
      at.push(run.seconds);
      return fail(request, attempt);
    });
    return { outcome: await run.state(task({ Retry })), at, run };
  };

  it('waits longer each time', async () => {
    const { outcome, at, run } = await times([{ ErrorEquals: ['A'] }], 'A', 'A', 'A');
    expect(outcome).toEqual(succeeded('done'));
    expect(at).toEqual([0, 1, 3, 7]);
    expect(run.transitions).toBe(4);
  });

  it('waits at most MaxDelaySeconds', async () => {
    const retry = { ErrorEquals: ['A'], IntervalSeconds: 4, BackoffRate: 3, MaxDelaySeconds: 10, MaxAttempts: 4 };
    expect((await times([retry], 'A', 'A', 'A')).at).toEqual([0, 4, 14, 24]);
  });

  it('waits a random part of the delay with full jitter', async () => {
    const { at } = await times([{ ErrorEquals: ['A'], IntervalSeconds: 100, JitterStrategy: 'FULL' }], 'A');
    expect(at[1]).toBeGreaterThan(0);
    expect(at[1]).toBeLessThan(100);
  });

  it('gives up after MaxAttempts with the last error', async () => {
    const { outcome, at } = await times([{ ErrorEquals: ['A'], MaxAttempts: 2 }], 'A', 'A', 'A');
    expect(outcome).toEqual({ status: 'FAILED', error: 'A', cause: 'cause of A' });
    expect(at).toHaveLength(3);
  });

  it('never happens with MaxAttempts 0', async () => {
    expect((await times([{ ErrorEquals: ['States.ALL'], MaxAttempts: 0 }], 'A')).at).toHaveLength(1);
  });

  it('counts each retrier by itself', async () => {
    const rules = [
      { ErrorEquals: ['A'], IntervalSeconds: 1, MaxAttempts: 2 },
      { ErrorEquals: ['B'], IntervalSeconds: 5, MaxAttempts: 1 },
    ];
    expect((await times(rules, 'A', 'A', 'B')).at).toEqual([0, 1, 3, 8]);
    expect((await times(rules, 'A', 'A', 'B', 'A')).outcome).toMatchObject({ status: 'FAILED', error: 'A' });
  });

  it('leaves other errors alone', async () => {
    expect((await times([{ ErrorEquals: ['A'] }], 'B')).at).toHaveLength(1);
  });

  it('is counted in the context', async () => {
    const run = new Harness(failing('A', 'A'));
    const outcome = await run.state(
      task({ Retry: [{ ErrorEquals: ['A'] }], Output: '{% $states.context.State.RetryCount %}' }),
    );
    expect(outcome).toEqual(succeeded(2));
  });

  it('can be interrupted', async () => {
    const run = new Harness(failing('A'));
    run.clock.after(500, () => run.controller.abort());
    const outcome = await run.state(task({ Retry: [{ ErrorEquals: ['A'], IntervalSeconds: 1000 }] }));
    expect(outcome.status).not.toBe('SUCCEEDED');
    expect(run.seconds).toBe(0.5);
  });
});

describe('Catch', () => {
  const caught = (fields: object) => ({
    Try: task({ End: true, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Caught', ...fields }] }),
    Caught: { Type: 'Succeed' },
  });

  it('goes on with the error as output', async () => {
    expect(await new Harness(failing('A')).states(caught({}))).toEqual(succeeded({ Error: 'A', Cause: 'cause of A' }));
  });

  it('shapes its own output', async () => {
    const Output = { why: '{% $states.errorOutput.Cause %}', was: '{% $states.input.n %}' };
    expect(await new Harness(failing('A')).states(caught({ Output }), { n: 1 })).toEqual(
      succeeded({ why: 'cause of A', was: 1 }),
    );
  });

  it('takes over after the retries', async () => {
    const run = new Harness(failing('A', 'A', 'A'));
    const states = caught({});
    const outcome = await run.states({
      ...states,
      Try: { ...states.Try, Retry: [{ ErrorEquals: ['A'], MaxAttempts: 1 }] },
    });
    expect(outcome).toMatchObject({ status: 'SUCCEEDED' });
    expect(run.requests).toHaveLength(2);
  });

  it('covers expressions of its state that fail', async () => {
    const states = caught({});
    const run = new Harness(() => ({}));
    const outcome = await run.states({ ...states, Try: { ...states.Try, Output: '{% $states.result.none %}' } });
    expect(outcome).toMatchObject({ status: 'SUCCEEDED', output: { Error: 'States.QueryEvaluationError' } });
    expect(run.details('EvaluationFailed')).toMatchObject({ state: 'Try', location: 'Output' });
  });

  it('covers what fails inside a Map and a Parallel state', async () => {
    for (const inner of [
      { Type: 'Map', Items: [1], ItemProcessor: { StartAt: 'I', States: { I: task({ End: true }) } } },
      { Type: 'Parallel', Branches: [{ StartAt: 'I', States: { I: task({ End: true }) } }] },
    ]) {
      const outcome = await new Harness(failing('Deep')).states({
        Outer: { ...inner, End: true, Catch: [{ ErrorEquals: ['Deep'], Next: 'Caught' }] },
        Caught: { Type: 'Succeed' },
      });
      expect(outcome).toEqual(succeeded({ Error: 'Deep', Cause: 'cause of Deep' }));
    }
  });
});

describe('a task times out', () => {
  const never = () => new Promise<never>(() => {});

  it('after TimeoutSeconds, each attempt anew', async () => {
    const run = new Harness(never);
    const outcome = await run.state(
      task({ TimeoutSeconds: 10, Retry: [{ ErrorEquals: ['States.Timeout'], MaxAttempts: 1 }] }),
    );
    expect(outcome).toEqual({ status: 'FAILED', error: 'States.Timeout' });
    expect(run.seconds).toBe(21);
    expect(run.details('TaskTimedOut')).toMatchObject({ error: 'States.Timeout', resourceType: 'lambda' });
  });

  it('after a computed time', async () => {
    const run = new Harness(never);
    await run.state(task({ TimeoutSeconds: '{% $states.input.limit %}' }), { limit: 7 });
    expect(run.seconds).toBe(7);
  });

  it('never with a limit that is no number of seconds', async () => {
    expect(await new Harness(never).state(task({ TimeoutSeconds: '{% "7" %}' }))).toMatchObject({
      error: 'States.QueryEvaluationError',
    });
  });

  it('and leaves no timer when it does not', async () => {
    const run = new Harness(() => 1);
    await run.state(task({ TimeoutSeconds: 10 }));
    expect(run.seconds).toBe(0);
  });
});

describe('a task with a token', () => {
  const waiting = (fields = {}) =>
    task({
      Resource: `${INVOKE}.waitForTaskToken`,
      Arguments: { token: '{% $states.context.Task.Token %}' },
      ...fields,
    });
  const tokenOf = (run: Harness) => (run.requests[0]!.arguments as { token: string }).token;

  it('ends with the output that is sent for it', async () => {
    const run = new Harness(() => 'submitted');
    run.clock.after(5000, () => run.tokens.succeed(tokenOf(run), { ok: true }));
    expect(await run.state(waiting())).toEqual(succeeded({ ok: true }));
    expect(run.requests[0]!.resource).toBe(INVOKE);
    expect(run.types).toContain('TaskSubmitted');
  });

  it('fails with the error that is sent for it', async () => {
    const run = new Harness();
    run.clock.after(5000, () => run.tokens.fail(tokenOf(run), 'Refused', 'no'));
    expect(await run.state(waiting())).toEqual({ status: 'FAILED', error: 'Refused', cause: 'no' });
  });

  it('lives as long as heartbeats arrive', async () => {
    const run = new Harness();
    for (const second of [8, 16, 24]) run.clock.after(second * 1000, () => run.tokens.heartbeat(tokenOf(run)));
    expect(await run.state(waiting({ HeartbeatSeconds: 10 }))).toEqual({
      status: 'FAILED',
      error: 'States.HeartbeatTimeout',
    });
    expect(run.seconds).toBe(34);
  });

  it('refuses its token once it is over, and tokens nobody issued', async () => {
    const run = new Harness();
    await run.state(waiting({ TimeoutSeconds: 5 }));
    expect(() => run.tokens.succeed(tokenOf(run), 1)).toThrow('is over');
    expect(() => run.tokens.heartbeat('made up')).toThrow('is unknown');
  });
});
