import { Harness, succeeded, task } from './harness';

describe('the history of an execution', () => {
  it('tells of a task in the order and with the details of AWS', async () => {
    const run = new Harness(() => ({ Payload: 1 }));
    await run.states(
      {
        Call: task({
          Arguments: { FunctionName: 'f' },
          TimeoutSeconds: 60,
          Assign: { n: '{% $states.result.Payload %}' },
          End: true,
        }),
      },
      { a: 1 },
    );
    const resource = { resourceType: 'lambda', resource: 'invoke' };
    expect(run.events.map(({ id, previousEventId, type, details }) => [id, previousEventId, type, details])).toEqual([
      [
        1,
        0,
        'ExecutionStarted',
        {
          executionStartedEventDetails: {
            input: '{"a":1}',
            inputDetails: { truncated: false },
            roleArn: 'arn:aws:iam::1:role/r',
          },
        },
      ],
      [
        2,
        1,
        'TaskStateEntered',
        { stateEnteredEventDetails: { name: 'Call', input: '{"a":1}', inputDetails: { truncated: false } } },
      ],
      [
        3,
        2,
        'TaskScheduled',
        {
          taskScheduledEventDetails: {
            ...resource,
            region: 'eu-west-3',
            parameters: '{"FunctionName":"f"}',
            timeoutInSeconds: 60,
          },
        },
      ],
      [4, 3, 'TaskStarted', { taskStartedEventDetails: resource }],
      [
        5,
        4,
        'TaskSucceeded',
        { taskSucceededEventDetails: { ...resource, output: '{"Payload":1}', outputDetails: { truncated: false } } },
      ],
      [
        6,
        5,
        'TaskStateExited',
        {
          stateExitedEventDetails: {
            name: 'Call',
            output: '{"Payload":1}',
            outputDetails: { truncated: false },
            assignedVariables: { n: '1' },
            assignedVariablesDetails: { truncated: false },
          },
        },
      ],
      [
        7,
        6,
        'ExecutionSucceeded',
        { executionSucceededEventDetails: { output: '{"Payload":1}', outputDetails: { truncated: false } } },
      ],
    ]);
  });

  it('names every kind of state', async () => {
    const run = new Harness();
    const outcome = await run.states({
      Pass: { Type: 'Pass', Next: 'Wait' },
      Wait: { Type: 'Wait', Seconds: 1, Next: 'Choice' },
      Choice: { Type: 'Choice', Choices: [{ Condition: true, Next: 'Map' }] },
      Map: {
        Type: 'Map',
        Items: [1],
        ItemProcessor: { StartAt: 'Inner', States: { Inner: { Type: 'Pass', End: true } } },
        Next: 'Parallel',
      },
      Parallel: {
        Type: 'Parallel',
        Branches: [{ StartAt: 'Branch', States: { Branch: { Type: 'Pass', End: true } } }],
        Next: 'Succeed',
      },
      Succeed: { Type: 'Succeed' },
    });
    expect(outcome).toEqual(succeeded([[1]]));
    expect(run.types).toEqual([
      'ExecutionStarted',
      ...['PassStateEntered', 'PassStateExited', 'WaitStateEntered', 'WaitStateExited'],
      ...['ChoiceStateEntered', 'ChoiceStateExited', 'MapStateEntered', 'MapStateStarted', 'MapIterationStarted'],
      ...['PassStateEntered', 'PassStateExited', 'MapIterationSucceeded', 'MapStateSucceeded', 'MapStateExited'],
      ...['ParallelStateEntered', 'ParallelStateStarted', 'PassStateEntered', 'PassStateExited'],
      ...['ParallelStateSucceeded', 'ParallelStateExited', 'SucceedStateEntered', 'SucceedStateExited'],
      'ExecutionSucceeded',
    ]);
  });

  it('follows each branch from where it began', async () => {
    const run = new Harness();
    await run.state({
      Type: 'Parallel',
      Branches: ['A', 'B'].map((name) => ({ StartAt: name, States: { [name]: { Type: 'Pass', End: true } } })),
    });
    const started = run.events.find(({ type }) => type === 'ParallelStateStarted')!.id;
    expect(run.events.filter(({ type }) => type === 'PassStateEntered').map((event) => event.previousEventId)).toEqual([
      started,
      started,
    ]);
  });

  it('only names event types that AWS knows', async () => {
    const { HistoryEventType } = await import('@aws-sdk/client-sfn');
    const run = new Harness();
    run.clock.after(1000, () => run.controller.abort());
    await run.state({
      Type: 'Parallel',
      Branches: [{ StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 9, End: true } } }],
    });
    for (const type of run.types) expect(Object.values(HistoryEventType)).toContain(type);
  });
});
