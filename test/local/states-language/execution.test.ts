import { Stopped } from '../../../local/states-language';
import { failing, Harness, INVOKE, succeeded, task } from './harness';

describe('data', () => {
  it('flows from state to state', async () => {
    const run = new Harness();
    const outcome = await run.states(
      { A: { Type: 'Pass', Output: { n: '{% $states.input.n + 1 %}' }, Next: 'B' }, B: { Type: 'Succeed' } },
      { n: 1 },
    );
    expect(outcome).toEqual(succeeded({ n: 2 }));
    expect(run.transitions).toBe(2);
  });

  it('reaches a task as its arguments, and its result is the output', async () => {
    const run = new Harness(({ arguments: given }) => ({ echoed: given }));
    const outcome = await run.state(task({ Arguments: { x: '{% $states.input.x %}' } }), { x: 1 });
    expect(outcome).toEqual(succeeded({ echoed: { x: 1 } }));
    expect(run.requests[0]).toMatchObject({ resource: INVOKE, roleArn: 'arn:aws:iam::1:role/r' });
  });

  it('without arguments a task is given the input', async () => {
    const run = new Harness(({ arguments: given }) => given);
    expect(await run.state(task(), { x: 1 })).toEqual(succeeded({ x: 1 }));
  });

  it('a result can be shaped while the input stays readable', async () => {
    const run = new Harness(() => ({ Payload: 2 }));
    const Output = { sum: '{% $states.result.Payload + $states.input.n %}' };
    expect(await run.state(task({ Output }), { n: 1 })).toEqual(succeeded({ sum: 3 }));
  });

  it('the context describes execution, state machine and state', async () => {
    const run = new Harness();
    const outcome = await run.states(
      {
        Wait: { Type: 'Wait', Seconds: 5, Next: 'Tell' },
        Tell: { Type: 'Pass', Output: '{% $states.context %}', End: true },
      },
      { a: 1 },
    );
    expect(outcome).toEqual(
      succeeded({
        Execution: {
          Id: 'arn:aws:states:eu-west-3:1:execution:m:e',
          Input: { a: 1 },
          Name: 'e',
          RoleArn: 'arn:aws:iam::1:role/r',
          StartTime: '2026-01-01T00:00:00.000Z',
          RedriveCount: 0,
        },
        State: { EnteredTime: '2026-01-01T00:00:05.000Z', Name: 'Tell', RetryCount: 0 },
        StateMachine: { Id: 'arn:aws:states:eu-west-3:1:stateMachine:m', Name: 'm' },
      }),
    );
  });

  it('that exceeds 262,144 bytes fails the state, and States.ALL does not catch it', async () => {
    const run = new Harness(() => 'x'.repeat(262_143));
    const outcome = await run.states({
      Big: task({ End: true, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Never' }] }),
      Never: { Type: 'Succeed' },
    });
    expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it('of exactly 262,144 bytes passes', async () => {
    const run = new Harness(() => 'x'.repeat(262_142));
    expect(await run.state(task({ Output: 'small' }))).toEqual(succeeded('small'));
  });
});

describe('variables', () => {
  it('keep their value until a later state', async () => {
    const run = new Harness(() => 42);
    const outcome = await run.states({
      Get: task({ Assign: { answer: '{% $states.result %}' }, Output: {}, Next: 'Use' }),
      Use: { Type: 'Pass', Output: '{% $answer %}', End: true },
    });
    expect(outcome).toEqual(succeeded(42));
  });

  it('are assigned all at once: Assign and Output see the old values', async () => {
    const run = new Harness();
    const outcome = await run.states({
      First: { Type: 'Pass', Assign: { a: 1, b: 2 }, Next: 'Swap' },
      Swap: { Type: 'Pass', Assign: { a: '{% $b %}', b: '{% $a %}' }, Output: '{% [$a, $b] %}', Next: 'Tell' },
      Tell: { Type: 'Pass', Output: '{% $append($states.input, [$a, $b]) %}', End: true },
    });
    expect(outcome).toEqual(succeeded([1, 2, 2, 1]));
  });

  it('of the outer scope are readable in a Map; its own are separate per iteration', async () => {
    const run = new Harness();
    const outcome = await run.states({
      First: { Type: 'Pass', Assign: { base: 10 }, Next: 'Map' },
      Map: {
        Type: 'Map',
        Items: [1, 2, 3],
        ItemProcessor: {
          StartAt: 'Set',
          States: {
            Set: { Type: 'Pass', Assign: { own: '{% $states.input + $base %}' }, Next: 'Tell' },
            Tell: { Type: 'Pass', Output: '{% $own %}', End: true },
          },
        },
        End: true,
      },
    });
    expect(outcome).toEqual(succeeded([11, 12, 13]));
  });

  it('can be assigned by a catcher and by a choice', async () => {
    const run = new Harness(failing('Broken'));
    const outcome = await run.states({
      Try: task({
        Next: 'Choose',
        Catch: [{ ErrorEquals: ['Broken'], Next: 'Choose', Assign: { why: '{% $states.errorOutput.Error %}' } }],
      }),
      Choose: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $why = "Broken" %}', Assign: { branch: 'taken' }, Next: 'Tell' }],
      },
      Tell: { Type: 'Pass', Output: '{% $why & " " & $branch %}', End: true },
    });
    expect(outcome).toEqual(succeeded('Broken taken'));
  });
});

describe('a choice', () => {
  const choose = (input: object, Default?: string) =>
    new Harness().states(
      {
        Choose: {
          Type: 'Choice',
          Choices: [
            { Condition: '{% $states.input.n > 10 %}', Next: 'Big', Output: 'big' },
            { Condition: '{% $states.input.n > 5 %}', Next: 'Big', Output: 'medium' },
          ],
          ...(Default ? { Default, Output: 'small' } : {}),
        },
        Big: { Type: 'Succeed' },
      },
      { ...input },
    );

  it('takes the first rule that holds', async () => {
    expect(await choose({ n: 11 })).toEqual(succeeded('big'));
    expect(await choose({ n: 6 })).toEqual(succeeded('medium'));
  });

  it('takes the default, with the output of the state', async () => {
    expect(await choose({ n: 1 }, 'Big')).toEqual(succeeded('small'));
  });

  it('fails when nothing holds and there is no default', async () => {
    expect(await choose({ n: 1 })).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
  });

  it('fails when a condition is not a boolean', async () => {
    const outcome = await new Harness().states({
      Choose: { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'End' }] },
      End: { Type: 'Succeed' },
    });
    expect(outcome).toMatchObject({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining('a boolean'),
    });
  });
});

describe('waiting', () => {
  it.each<[string, object, number]>([
    ['seconds', { Seconds: 90 }, 90],
    ['computed seconds', { Seconds: '{% 2 * 3 %}' }, 6],
    ['until a time', { Timestamp: '2026-01-01T01:00:00Z' }, 3600],
    ['until a time with an offset', { Timestamp: '{% "2026-01-01T01:00:00+01:00" %}' }, 0],
    ['not at all for a time that has passed', { Timestamp: '2025-01-01T00:00:00Z' }, 0],
  ])('%s', async (_, fields, seconds) => {
    const run = new Harness();
    expect(await run.state({ Type: 'Wait', ...fields }, 'in')).toEqual(succeeded('in'));
    expect(run.seconds).toBe(seconds);
  });

  it('refuses a duration that is none', async () => {
    expect(await new Harness().state({ Type: 'Wait', Seconds: '{% -1 %}' })).toMatchObject({
      error: 'States.QueryEvaluationError',
      cause: expect.stringContaining('integer from 0'),
    });
  });
});

it('a Fail state ends the execution with its computed error and cause', async () => {
  const outcome = await new Harness().states(
    { Fail: { Type: 'Fail', Error: 'Refused', Cause: '{% $states.input.why %}' } },
    { why: 'majority at risk' },
  );
  expect(outcome).toEqual({ status: 'FAILED', error: 'Refused', cause: 'majority at risk' });
});

it('a defect in an integration ends the execution visibly and is never caught', async () => {
  const run = new Harness(() => {
    throw new TypeError('not a function');
  });
  const outcome = await run.states({
    A: task({ End: true, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }] }),
    B: { Type: 'Succeed' },
  });
  expect(outcome).toMatchObject({ error: 'States.Runtime', cause: expect.stringContaining('not a function') });
});

describe('an execution ends early', () => {
  const waiting = { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 1000, End: true } } };

  it('when it is stopped', async () => {
    const run = new Harness();
    run.clock.after(5000, () => run.controller.abort(new Stopped('Enough', 'by a person')));
    expect(await run.run(waiting)).toEqual({ status: 'ABORTED', error: 'Enough', cause: 'by a person' });
    expect(run.seconds).toBe(5);
    expect(run.types.slice(-2)).toEqual(['WaitStateAborted', 'ExecutionAborted']);
  });

  it('abandoning a task in flight, whose late end changes nothing', async () => {
    const run = new Harness(async ({ signal }) => {
      expect(signal.aborted).toBe(false);
      await run.clock.sleep(60_000);
      expect(signal.aborted).toBe(true);
      return 'late';
    });
    run.clock.after(5000, () => run.controller.abort(new Stopped()));
    expect(await run.state(task())).toEqual({ status: 'ABORTED' });
    const events = run.events.length;
    await run.clock.advance(120_000);
    expect(run.events).toHaveLength(events);
  });

  it('even when it was stopped before it began', async () => {
    const run = new Harness();
    run.controller.abort(new Stopped());
    expect(await run.run(waiting)).toEqual({ status: 'ABORTED' });
  });

  it("when the state machine's own time is over, which nothing catches", async () => {
    const run = new Harness(() => new Promise(() => {}));
    const outcome = await run.run({
      TimeoutSeconds: 30,
      StartAt: 'A',
      States: {
        A: task({ Catch: [{ ErrorEquals: ['States.ALL'], Next: 'B' }], Next: 'B' }),
        B: { Type: 'Succeed' },
      },
    });
    expect(outcome).toEqual({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect(run.seconds).toBe(30);
    expect(run.types.at(-1)).toBe('ExecutionTimedOut');
  });

  it('leaving no timer behind', async () => {
    const run = new Harness();
    await run.run({ TimeoutSeconds: 3600, StartAt: 'A', States: { A: { Type: 'Succeed' } } });
    await expect(run.clock.until(new Promise(() => {}))).rejects.toThrow('nothing is scheduled');
  });
});

it('an endless loop ends when the history is full', async () => {
  const run = new Harness();
  const outcome = await run.states({
    A: { Type: 'Pass', Next: 'B' },
    B: { Type: 'Choice', Choices: [{ Condition: '{% true %}', Next: 'A' }] },
  });
  expect(outcome).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  expect(run.events).toHaveLength(25_000);
});
