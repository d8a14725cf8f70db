import { type HistoryEvent, Progress } from '../../../tools/local/progress';

/** Builds a history in which every event follows the one that `after` names, by default the last. */
function history() {
  const events: HistoryEvent[] = [];
  const add = (type: string, details: HistoryEvent['details'], after = events.length) => {
    const event = { id: events.length + 1, previousEventId: after, type, timestamp: events.length * 1000, details };
    events.push(event);
    return event.id;
  };
  return {
    events,
    enter: (name: string, input: unknown, after?: number) =>
      add('TaskStateEntered', { stateEnteredEventDetails: { name, input: JSON.stringify(input) } }, after),
    answer: (Payload: unknown, after?: number) =>
      add('TaskSucceeded', { taskSucceededEventDetails: { output: JSON.stringify({ Payload }) } }, after),
    fail: (error: string, after?: number) => add('TaskFailed', { taskFailedEventDetails: { error } }, after),
  };
}

function rowsOf(events: HistoryEvent[]) {
  const progress = new Progress();
  for (const event of events) progress.take(event);
  return progress;
}

describe('the progress of an execution', () => {
  it('shows what the assessment found', () => {
    const { events, enter, answer } = history();
    enter('AssessCluster', {});
    answer({ reason: 'nothing exists' });
    expect(rowsOf(events).rows).toMatchObject([
      { stage: 'assess', subject: '', text: 'nothing exists', state: 'done' },
    ]);
  });

  it('keeps servers that launch side by side apart', () => {
    const { events, enter, answer } = history();
    const first = enter('LaunchServer', { slot: 0 });
    const second = enter('LaunchServer', { slot: 1 }, 0);
    answer({ slot: 1, instanceId: 'i-1' }, second);
    const running = enter('AwaitRunning', { slot: 1, instanceId: 'i-1' });
    answer({ instanceId: 'i-1', availabilityZone: 'eu-west-3b' }, running);
    answer({ slot: 0, instanceId: 'i-0' }, first);
    expect(rowsOf(events).rows).toMatchObject([
      { subject: 'server-0', text: 'launching', state: 'running' },
      { subject: 'server-1', text: 'eu-west-3b i-1', state: 'done' },
    ]);
  });

  it('names the initialiser by what the latch answers, not by the server that was launched last', () => {
    const { events, enter, answer } = history();
    for (const slot of [0, 2, 1]) {
      enter('AwaitRunning', { slot, instanceId: `i-${slot}` });
      answer({ instanceId: `i-${slot}`, availabilityZone: `eu-west-3${'abc'[slot]}` });
    }
    const init = () => rowsOf(events).rows.filter(({ stage }) => stage === 'init');
    enter('BeginInit', null);
    expect(init()).toMatchObject([{ subject: '', text: 'waiting for the first SSM agent', state: 'running' }]);
    answer({ instanceId: 'i-2' });
    enter('StartServerInit', { slot: 2, instanceId: 'i-2' });
    expect(init()).toMatchObject([{ subject: 'server-2', text: 'waiting for its SSM agent', state: 'running' }]);
  });

  it('shows the initialisation in one row, from the latch to the first voter, also when another server begins it again', () => {
    const { events, enter, answer, fail } = history();
    enter('BeginInit', null);
    answer({ instanceId: 'i-2' });
    enter('StartServerInit', { slot: 2, instanceId: 'i-2' });
    fail('ServerLost');
    enter('BeginInit', null);
    answer({ instanceId: 'i-0' });
    enter('StartServerInit', { slot: 0, instanceId: 'i-0' });
    answer({ commandId: 'c' });
    enter('CompleteInit', { slot: 0, instanceId: 'i-0' });
    answer({});
    expect(rowsOf(events).rows).toEqual([
      {
        stage: 'init',
        subject: 'server-0',
        text: 'the first etcd voter',
        startedAt: 0,
        endedAt: 9000,
        state: 'done',
      },
    ]);
  });

  it('stays in a stage while its state polls', () => {
    const { events, enter, fail, answer } = history();
    enter('CheckStartServer', { slot: 2 });
    fail('CommandPending');
    expect(rowsOf(events).rows).toMatchObject([{ stage: 'join', subject: 'server-2', state: 'running' }]);
    answer({ ready: true });
    expect(rowsOf(events).rows).toMatchObject([{ text: 'Ready, an etcd voter', state: 'done', endedAt: 2000 }]);
  });

  it('marks what had not finished when the execution ended', () => {
    const { events, enter } = history();
    enter('ApplyManifests', { slot: 0 });
    const progress = rowsOf(events);
    progress.end(9000);
    expect(progress.rows).toMatchObject([{ stage: 'apply', subject: '', state: 'failed', endedAt: 9000 }]);
  });
});
