import { report, text } from '../../../tools/measure/report';
import type { Run, Step } from '../../../tools/phases';

const BEGIN = Date.UTC(2026, 10, 22, 14, 0, 0);
const left = (state: string, second: number): Step => ({ at: BEGIN + second * 1000, state, edge: 'left' });
const entered = (state: string, second: number, input?: string): Step => ({
  ...left(state, second),
  edge: 'entered',
  input,
});

const run = (execution: string, steps: Step[], seconds: number): Run => ({
  execution,
  startedAt: BEGIN,
  stoppedAt: BEGIN + seconds * 1000,
  steps,
});
const creation = (name: string, seconds: number) =>
  run(
    name,
    [left('AwaitRunning', 20), left('AwaitRunning', 24), left('CompleteInit', 80), left('CheckStartServer', 140)],
    seconds,
  );
const repair = (name: string, kind: string) =>
  run(
    name,
    [entered('AcquireLease', 1), entered('TerminateServer', 30, `{"kind":"${kind}"}`), left('AwaitTargets', 150)],
    160,
  );

const NONE = new Map<string, number>();

describe('what was measured', () => {
  it('are medians over the executions of a kind, and phases as they were seen last', () => {
    const { creation: found } = report([creation('a', 200), creation('b', 220), creation('c', 300)], NONE);
    expect(found).toMatchObject({ p50: 220, p95: 300, phases: { running: 24, voters: 140, finished: 220 } });
    expect(found?.phases).not.toHaveProperty('applied');
  });

  it('tells a lost server from one that hangs, and leaves out what replaced none', () => {
    const runs = [repair('gone', 'gone'), repair('sick', 'sick'), repair('surplus', 'surplus'), run('check', [], 8)];
    const { replacementTerminated, replacementHang, ...rest } = report(runs, NONE);
    expect(replacementTerminated?.runs.map(({ execution }) => execution)).toEqual(['gone']);
    expect(replacementHang?.runs.map(({ execution }) => execution)).toEqual(['sick']);
    expect(rest).toEqual({});
  });

  it('counts from the first sign of trouble where the log still has it', () => {
    const beginnings = new Map([['sick', BEGIN - 61_000]]);
    expect(report([repair('sick', 'sick')], beginnings).replacementHang).toMatchObject({
      p50: 211,
      phases: { noticed: 62, serving: 211, finished: 221 },
    });
  });

  it('is told as a table, and that nothing is remembered when nothing is', () => {
    expect(text(report([creation('a', 200)], NONE), 'k3s-demo')).toContain(
      '| creation, until finished |    1 | 200.0 | 200.0 |',
    );
    expect(text({}, 'k3s-demo')).toBe('k3s-demo: no creation and no replacement is remembered');
  });
});
