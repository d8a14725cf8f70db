import { StatesError } from '../../../local/states-language';
import { Harness, succeeded, task } from './harness';

const map = (states: Record<string, object>, fields: object = {}) => ({
  Type: 'Map',
  ItemProcessor: { StartAt: Object.keys(states)[0], States: states },
  ...fields,
});

describe('a Map state', () => {
  it('collects results in the order of the items, whatever ends first', async () => {
    const run: Harness = new Harness(async ({ arguments: n }) => {
      await run.clock.sleep(10_000 - Number(n) * 1000);
      return n;
    });
    expect(await run.state(map({ I: task({ End: true }) }), [1, 2, 3])).toEqual(succeeded([1, 2, 3]));
    expect(run.seconds).toBe(9);
  });

  it('runs one at a time when told so', async () => {
    let running = 0;
    let most = 0;
    const run: Harness = new Harness(async () => {
      most = Math.max(most, ++running);
      await run.clock.sleep(1000);
      return --running;
    });
    await run.state(
      map({ I: task({ End: true }) }, { MaxConcurrency: '{% $states.input.limit %}', Items: [1, 2, 3] }),
      {
        limit: 1,
      },
    );
    expect(most).toBe(1);
    expect(run.seconds).toBe(3);
  });

  it('runs at most 40 at a time by itself', async () => {
    const run: Harness = new Harness(() => run.clock.sleep(1000).then(() => null));
    await run.state(map({ I: task({ End: true }) }, { Items: Array.from({ length: 41 }, (_, i) => i) }));
    expect(run.seconds).toBe(2);
  });

  it('shows each item and its index', async () => {
    const run = new Harness();
    const outcome = await run.state(
      map(
        { I: { Type: 'Pass', Output: { '': '{% [$states.input.x, $states.context.Map.Item.Index] %}' }, End: true } },
        { Items: ['a', 'b'], ItemSelector: { x: '{% $states.context.Map.Item.Value %}' } },
      ),
    );
    expect(outcome).toEqual(succeeded([{ '': ['a', 0] }, { '': ['b', 1] }]));
  });

  it('iterates over the members of an object', async () => {
    expect(await new Harness().state(map({ I: { Type: 'Pass', End: true } }), { a: 1 })).toEqual(
      succeeded([{ Key: 'a', Value: 1 }]),
    );
  });

  it('of nothing succeeds with nothing', async () => {
    expect(await new Harness().state(map({ I: { Type: 'Pass', End: true } }), [])).toEqual(succeeded([]));
  });

  it('refuses what cannot be iterated', async () => {
    expect(await new Harness().state(map({ I: { Type: 'Pass', End: true } }), 7)).toMatchObject({
      error: 'States.QueryEvaluationError',
    });
  });

  it('fails with the first failure and abandons the other iterations', async () => {
    const run: Harness = new Harness(async ({ arguments: n }) => {
      await run.clock.sleep(Number(n) * 1000);
      if (n === 2) throw new StatesError('Broken', 'two');
      return n;
    });
    expect(await run.state(map({ I: task({ End: true }) }), [1, 2, 3])).toEqual({
      status: 'FAILED',
      error: 'Broken',
      cause: 'two',
    });
    expect(run.seconds).toBe(2);
    expect(run.types).toEqual(
      expect.arrayContaining(['MapIterationSucceeded', 'MapIterationFailed', 'MapStateFailed']),
    );
    expect(run.types.filter((type) => type === 'MapIterationAborted')).toHaveLength(1);
  });

  it('does not start what is left after a failure', async () => {
    const run = new Harness(() => {
      throw new StatesError('Broken', undefined);
    });
    await run.state(map({ I: task({ End: true }) }, { MaxConcurrency: 1 }), [1, 2, 3]);
    expect(run.requests).toHaveLength(1);
  });

  it('an abandoned iteration does not catch its abandonment', async () => {
    const run: Harness = new Harness(async ({ arguments: n }) => {
      if (n === 1) throw new StatesError('Broken', undefined);
      await run.clock.sleep(1000);
      return n;
    });
    const outcome = await run.state(
      map(
        {
          I: task({
            End: true,
            Catch: [{ ErrorEquals: ['Other', 'States.Timeout'], Next: 'Caught' }],
            Retry: [{ ErrorEquals: ['Other'] }],
          }),
          Caught: { Type: 'Pass', End: true },
        },
        { Retry: [{ ErrorEquals: ['Broken'], MaxAttempts: 1 }] },
      ),
      [2, 1],
    );
    expect(outcome).toMatchObject({ error: 'Broken' });
    expect(run.requests).toHaveLength(4);
  });

  it('is retried as a whole', async () => {
    const run = new Harness((_, attempt) => {
      if (attempt === 2) throw new StatesError('Once', undefined);
      return attempt;
    });
    const outcome = await run.state(
      map({ I: task({ End: true }) }, { MaxConcurrency: 1, Retry: [{ ErrorEquals: ['Once'] }] }),
      ['a', 'b'],
    );
    expect(outcome).toEqual(succeeded([3, 4]));
  });

  it('inside another shows the inner item', async () => {
    const inner = map(
      { I: { Type: 'Pass', Output: '{% $states.context.Map.Item.Value %}', End: true } },
      { End: true },
    );
    expect(await new Harness().state(map({ Inner: inner }), [[1, 2], [3]])).toEqual(succeeded([[1, 2], [3]]));
  });

  it('stops at once when the execution is stopped', async () => {
    const run = new Harness(() => new Promise(() => {}));
    run.clock.after(1000, () => run.controller.abort());
    await run.state(map({ I: task({ End: true }) }), [1, 2]);
    expect(run.seconds).toBe(1);
    expect(run.types.filter((type) => type === 'TaskStateAborted')).toHaveLength(2);
    expect(run.types.slice(-2)).toEqual(['MapStateAborted', 'ExecutionFailed']);
  });
});

describe('a Parallel state', () => {
  const branch = (name: string, state: object) => ({ StartAt: name, States: { [name]: { ...state, End: true } } });

  it('gives every branch the same input and collects their outputs in order', async () => {
    const outcome = await new Harness().state(
      {
        Type: 'Parallel',
        Arguments: { n: '{% $states.input + 1 %}' },
        Branches: [
          branch('Slow', { Type: 'Wait', Seconds: 2 }),
          branch('Fast', { Type: 'Pass', Output: '{% $states.input.n * 2 %}' }),
        ],
        Output: '{% $states.result[1] %}',
      },
      1,
    );
    expect(outcome).toEqual(succeeded(4));
  });

  it('fails with the first branch that fails', async () => {
    const run = new Harness();
    const outcome = await run.state({
      Type: 'Parallel',
      Branches: [
        branch('Slow', { Type: 'Wait', Seconds: 100 }),
        { StartAt: 'F', States: { F: { Type: 'Fail', Error: 'Now' } } },
      ],
    });
    expect(outcome).toEqual({ status: 'FAILED', error: 'Now' });
    expect(run.seconds).toBe(0);
    expect(run.types).toEqual(expect.arrayContaining(['WaitStateAborted', 'ParallelStateFailed']));
  });
});
