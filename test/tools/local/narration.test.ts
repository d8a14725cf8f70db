import { isOver, isTrouble, leavesTraffic } from '../../../tools/local/incident';
import {
  executionOf,
  type Health,
  healthOf,
  narrateEvent,
  narrateExecution,
  narrateMail,
  narrateStage,
  narrateTargets,
} from '../../../tools/local/narration';

const ID = 'i-0123456789abcdef0';
const NEW = 'i-0fedcba9876543210';
const nameOf = (id: string) => (id === ID ? 'server-1' : null);
const ec2 = (state: string, id = ID) => ({
  source: 'aws.ec2',
  'detail-type': 'EC2 Instance State-change Notification',
  detail: { 'instance-id': id, state },
});
const ours = (type: string, detail: Record<string, unknown>) => ({
  source: 'k3s.cluster',
  'detail-type': type,
  detail: {
    cluster: 'demo',
    incident: 'x',
    reason: 'the reason',
    decision: 'the decision',
    todo: 'nothing',
    paused: false,
    execution: null,
    at: 0,
    ...detail,
  },
});

describe('the lines of a healing', () => {
  it('tell what EC2 says of our servers, and nothing of others', () => {
    expect(narrateEvent(ec2('terminated'), nameOf)).toEqual({ text: `server-1 ${ID} terminated (EC2 event)` });
    expect(narrateEvent(ec2('pending'), nameOf)).toBeNull();
    expect(narrateEvent(ec2('terminated', NEW), nameOf)).toBeNull();
    expect(narrateEvent({ source: 'aws.health', 'detail-type': 'AWS Health Event', detail: {} }, nameOf)).toBeNull();
  });

  it('tell of alarms', () => {
    const alarm = (from: string, to: string) => ({
      source: 'aws.cloudwatch',
      'detail-type': 'CloudWatch Alarm State Change',
      detail: { alarmName: 'k3s-demo-api', state: { value: to }, previousState: { value: from } },
    });
    expect(narrateEvent(alarm('OK', 'ALARM'), nameOf)).toEqual({ text: 'alarm k3s-demo-api is ALARM' });
    expect(narrateEvent(alarm('ALARM', 'OK'), nameOf)).toEqual({ text: 'alarm k3s-demo-api is OK' });
    expect(narrateEvent(alarm('INSUFFICIENT_DATA', 'OK'), nameOf)).toBeNull();
  });

  it('tell the decision', () => {
    const event = ours('Replacement Started', { slot: 1, instanceId: ID, since: 0 });
    expect(narrateEvent(event, nameOf)).toEqual({ text: 'decision: the decision' });
  });

  it('tell how long a replacement took, stage by stage', () => {
    const seconds = { detect: 1, launch: 23, join: 38, inService: 27, total: 89 };
    const event = ours('Node Replaced', { slot: 1, instanceId: ID, newInstanceId: NEW, since: 0, seconds });
    expect(narrateEvent(event, nameOf)).toEqual({
      text: `server-1 ${NEW} is in service`,
      note: 'replaced in 1:29 (detect 1 s · launch 23 s · join 38 s · in service 27 s)',
    });
  });

  it('tell what a person has to do, when there is something', () => {
    const event = ours('Replacement Deferred', { slot: 1, instanceId: ID, todo: 'Start the others.' });
    expect(narrateEvent(event, nameOf)).toEqual({
      text: 'deferred: the reason — the decision',
      note: 'you: Start the others.',
    });
  });

  it('tell of executions and their stages', () => {
    const execution = { name: 'repair-server-1', status: 'RUNNING', startedAt: 0 };
    expect(narrateExecution(execution, false).text).toBe('execution repair-server-1 started');
    const ended = { ...execution, status: 'FAILED', stoppedAt: 80_000, error: 'Refused', cause: 'majority at risk' };
    expect(narrateExecution(ended, false).text).toContain('failed after 1:20: Refused: majority at risk');
    expect(narrateExecution(ended, true).text).toBe('execution repair-server-1 failed after 1:20: Refused');
    expect(executionOf(ours('Cluster Ready', { servers: 3, execution: 'arn:x' }))).toBe('arn:x');
    expect(executionOf(ec2('stopped'))).toBeNull();
    const stage = { stage: 'join', subject: 'server-1', text: 'Ready', startedAt: 0, endedAt: 38_000 } as const;
    expect(narrateStage({ ...stage, state: 'done' })).toEqual({ text: 'join server-1: Ready', note: '38 s' });
    expect(narrateStage({ ...stage, state: 'running' })).toBeNull();
    expect(narrateStage({ ...stage, stage: 'lease', state: 'done' })).toBeNull();
  });

  it('tell of alerts by their subject', () => {
    expect(narrateMail({ subject: '[demo] server-1 replaced in 89 s' }).text).toBe(
      'alert: [demo] server-1 replaced in 89 s',
    );
  });
});

describe('the load balancer', () => {
  it('counts a server as healthy only when all its target groups do', () => {
    const groups = [
      { targets: [{ id: ID, state: 'healthy' }] },
      { targets: [{ id: ID, state: 'unhealthy' }] },
      { targets: [{ id: NEW, state: 'healthy' }] },
    ];
    expect(healthOf(groups)).toEqual(
      new Map([
        [ID, 'unhealthy'],
        [NEW, 'healthy'],
      ]),
    );
  });

  it('is told of when something changes', () => {
    const before = new Map<string, Health>([
      [ID, 'healthy'],
      [NEW, 'healthy'],
    ]);
    const after = new Map<string, Health>([[ID, 'unhealthy']]);
    expect(narrateTargets(before, after, nameOf).map(({ text }) => text)).toEqual([
      `server-1 ${ID} is unhealthy (NLB)`,
      `target ${NEW} is deregistered (NLB)`,
    ]);
    expect(narrateTargets(after, after, nameOf)).toEqual([]);
  });
});

describe('an incident', () => {
  it('begins when a machine ends, a signal appears or a target leaves', () => {
    expect(isTrouble(ec2('shutting-down'))).toBe(true);
    expect(isTrouble(ec2('running'))).toBe(false);
    expect(isTrouble(ours('Node Suspected', {}))).toBe(true);
    expect(leavesTraffic(new Map([[ID, 'healthy']]), new Map([[ID, 'unused']]))).toBe(true);
    expect(leavesTraffic(new Map([[ID, 'initial']]), new Map([[ID, 'unhealthy']]))).toBe(false);
  });

  it('is over when the cluster is whole again', () => {
    expect(isOver(ours('Node Replaced', {}))).toBe(true);
    expect(isOver(ours('Cluster Ready', {}))).toBe(true);
    expect(isOver(ours('Cluster Degraded', {}))).toBe(false);
    expect(isOver({ Records: [] })).toBe(false);
  });
});
