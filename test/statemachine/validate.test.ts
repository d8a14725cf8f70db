import validate from 'asl-validator';
import { COMMON_ERRORS, SCRIPT_OUTPUT } from '../../functions/contracts';
import { VirtualClock } from '../../local/clock';
import { Random } from '../../local/random';
import { type Bindings, Evaluator, type Json, listExpressions } from '../../local/states-language';
import type { State } from '../../local/states-language/definition';
import { flows } from '../../local/states-language/definition';
import { CA_HASH, id, VERSION } from '../functions/cluster/world';
import { CONTRACTS, definitionText, EXECUTION, machine, SUBSTITUTIONS, source } from './workflow';

const WORKFLOWS = ['cluster', 'delete-cluster'] as const;

/**
 * Documented by AWS: Step Functions' own and those that Lambda's integration adds for its transient troubles, of which
 * `Lambda.Unknown` (no answer of the function's own, for instance out of memory), `Sandbox.Timedout` (what Lambda calls a
 * function that took too long) and `Runtime.ExitError` (what it calls one whose process ended) end the function only.
 * https://docs.aws.amazon.com/step-functions/latest/dg/bp-lambda-serviceexception.html
 * https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
const PLATFORM_ERRORS = [
  'States.ALL',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'Runtime.ExitError',
];

/** States that ask again and again after something that another state began. */
const POLLERS: Record<string, string> = {
  AwaitRunning: 'CheckServer',
  AwaitTerminated: 'CheckServer',
  AwaitTargets: 'CheckTargets',
};

const statesOf = (name: (typeof WORKFLOWS)[number]): [string, State][] =>
  [...flows(machine(name))].flatMap(({ flow }) => Object.entries(flow.States));
const tasksOf = (name: (typeof WORKFLOWS)[number]) =>
  statesOf(name).flatMap(([state, definition]) => {
    if (definition.Type !== 'Task') return [];
    const { FunctionName, Payload } = definition.Arguments as { FunctionName: string; Payload: Record<string, Json> };
    return [{ state, definition, fn: FunctionName, payload: Payload }];
  });

const server = (slot: number) => ({ slot, instanceId: id(slot), privateIp: `10.0.${slot}.1` });

const FULL_PLAN = {
  launch: [
    { slot: 1, after: 1 },
    { slot: 2, after: 0 },
  ],
  retire: [{ slot: 1, instanceId: id(1), kind: 'gone', address: '10.0.1.1', member: true, reason: 'is terminated' }],
  start: [server(2)],
  init: false,
  initInstanceId: null,
  peer: server(0),
  caHash: CA_HASH,
  register: [{ slot: 2, instanceId: id(2) }],
  apply: true,
};
const EMPTY_PLAN = {
  ...FULL_PLAN,
  launch: [],
  retire: [],
  start: [],
  register: [],
  init: true,
  peer: null,
  caHash: null,
  apply: false,
};

/** What the workflow's variables may hold: at their fullest and at their emptiest. */
const VARIABLES: Record<string, Record<string, Json>> = {
  full: {
    takeovers: 1,
    watches: 2,
    rounds: 3,
    looks: 4,
    wait: 15,
    applied: SUBSTITUTIONS.ManifestsSha256,
    concern: { code: 'replacement-limit', slot: 1, instanceId: id(1) },
    launchedAt: 1,
    joinedAt: 2,
    problem: { stage: 'StartAndRegister', error: 'AgentLost', cause: 'no answer' },
    lease: {
      status: 'held',
      holder: EXECUTION,
      message: 'held',
      recheckAfterSeconds: 60,
      reason: 'server-1 is gone',
      origin: 'healer',
    },
    verdict: 'converge',
    reason: 'launch server-1',
    recheckAt: '2026-11-22T14:00:20.000Z',
    plan: FULL_PLAN,
    servers: [
      {
        slot: 0,
        instanceId: id(0),
        availabilityZone: 'eu-west-3a',
        privateIp: '10.0.0.1',
        ready: true,
        etcdVoter: true,
        healthyTargets: 3,
      },
    ],
    launched: [server(1)],
    launchFailures: [{ slot: 2, error: 'CapacityUnavailable', cause: 'server-2: none' }],
    failures: [{ error: 'ServerNotYet', cause: 'server-2: stopping' }],
    starters: [server(1), server(2)],
    joiners: [server(2)],
    helper: server(0),
    peer: server(0),
    via: { address: '10.0.0.1', caHash: CA_HASH },
  },
  empty: {
    takeovers: 0,
    watches: 0,
    rounds: 0,
    looks: 0,
    wait: 15,
    applied: null,
    concern: null,
    launchedAt: null,
    joinedAt: null,
    problem: null,
    lease: {
      status: 'acquired',
      message: '',
      holder: '',
      recheckAfterSeconds: 0,
      reason: 'started by a person',
      origin: 'person',
    },
    verdict: 'converged',
    reason: '3 of 3 servers are in service',
    recheckAt: '2026-11-22T14:01:00.000Z',
    plan: EMPTY_PLAN,
    servers: [],
    launched: [],
    launchFailures: [],
    failures: [],
    starters: [],
    joiners: [],
    helper: null,
    peer: null,
    via: { address: '', caHash: '' },
  },
};

/** Expressions that only make sense when there is something: where the empty case does not lead. */
const GUARDED = [
  'IsAllLaunched',
  'IsAllDeleted',
  'IsInitNeeded',
  'BeginInit',
  'CompleteInit',
  'RemoveMember',
  'CheckRemoveMember',
  'IsApplyNeeded',
  'PublishEventAfterFailure',
  'Failed',
];

const ITEM = {
  ...server(1),
  after: 1,
  address: '10.0.1.1',
  member: true,
  kind: 'gone',
  reason: 'is terminated',
  commandId: 'c-1',
  caHash: CA_HASH,
  k3sVersion: VERSION,
  error: 'ScriptFailed',
  cause: 'exited 1',
  until: 0,
};

const RESULTS: Record<string, Json> = {
  AcquireLease: { status: 'acquired', reason: 'x', origin: 'person' },
  AssessCluster: {
    verdict: 'converged',
    reason: 'x',
    recheckAfterSeconds: 60,
    plan: EMPTY_PLAN,
    concern: null,
    servers: [],
  },
  LaunchServer: { slot: 1, instanceId: id(1), generation: 1, instanceType: 't3.medium' },
  BeginInit: { instanceId: id(1) },
  CheckServer: { instanceId: id(1), state: 'running', availabilityZone: 'eu-west-3a', privateIp: '10.0.1.1' },
  SendCommand: { commandId: 'c-1', instanceId: id(1), script: 'StartServer' },
  CheckCommand: { ready: true, voter: true, caHash: CA_HASH, k3sVersion: VERSION },
  ListServers: { servers: [{ slot: 0, instanceId: id(0) }] },
};

/** What the branches of a parallel state end with. */
const BRANCHES: Record<string, Json> = { StartAndRegister: [{ joinedAt: 3, helper: server(0) }, []] };

const evaluator = new Evaluator(new VirtualClock(), new Random(1));

function bindings(variables: Record<string, Json>, fn: string | undefined, redriven: boolean, state = ''): Bindings {
  const context = {
    Execution: { Id: EXECUTION, Input: {}, Name: 'test', ...(redriven ? { RedriveCount: 2 } : {}) },
    State: { Name: 'x' },
  };
  const result = fn
    ? { Payload: RESULTS[fn] ?? {} }
    : (BRANCHES[state] ?? [server(1), { slot: 2, error: 'ServerLost', cause: 'x' }]);
  return { variables, states: { input: ITEM, context, result, errorOutput: { Error: 'X', Cause: 'it failed' } } };
}

describe.each(WORKFLOWS)('%s.asl.json', (name) => {
  const states = statesOf(name);
  const tasks = tasksOf(name);

  it('is valid', () => {
    expect(validate(JSON.parse(definitionText(name)))).toMatchObject({ isValid: true, errors: [] });
  });

  it('substitutes what exists', () => {
    const keys = [...source(name).matchAll(/\$\{(\w+)\}/g)].map(([, key]) => key ?? '');
    const known = [...[...CONTRACTS.keys()].map((stem) => `${stem}Arn`), ...Object.keys(SUBSTITUTIONS)];
    expect(keys.filter((key) => !known.includes(key))).toEqual([]);
  });

  it('matches only errors that somebody throws', () => {
    // By a Fail state inside a branch, for the state around it.
    const own = states.flatMap(([, state]) => (state.Type === 'Fail' && state.Error ? [state.Error] : []));
    const thrown = new Set([
      ...PLATFORM_ERRORS,
      ...COMMON_ERRORS,
      ...own,
      ...[...CONTRACTS.values()].flatMap(({ errors }) => errors),
    ]);
    const matched = states.flatMap(([, state]) =>
      [...(('Retry' in state && state.Retry) || []), ...(('Catch' in state && state.Catch) || [])].flatMap(
        ({ ErrorEquals }) => ErrorEquals,
      ),
    );
    expect(matched.filter((error) => !thrown.has(error))).toEqual([]);
  });

  it('retries a task only for what that very function throws, or for the platform’s troubles', () => {
    for (const { state, definition, fn } of tasks) {
      const own = [...PLATFORM_ERRORS, ...COMMON_ERRORS, ...(CONTRACTS.get(fn)?.errors ?? [])];
      const retried = (definition.Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);
      expect({ state, strange: retried.filter((error) => !own.includes(error)) }).toEqual({ state, strange: [] });
      expect(retried).not.toContain('States.ALL');
      expect(retried).toEqual(expect.arrayContaining([...PLATFORM_ERRORS.slice(1), ...COMMON_ERRORS]));
    }
  });

  it('says how long it polls', () => {
    for (const { state, definition } of tasks) {
      for (const { IntervalSeconds, MaxAttempts, BackoffRate } of definition.Retry ?? []) {
        if (BackoffRate !== 1) continue;
        const minutes = (IntervalSeconds * MaxAttempts) / 60;
        const said = new RegExp(`every ${IntervalSeconds} s for ${minutes} min`);
        expect(`${state}: ${definition.Comment}`).toMatch(said);
      }
    }
  });

  it('bounds every task, and the whole', () => {
    expect(machine(name).TimeoutSeconds).toBe(3600);
    for (const { state, definition } of tasks) {
      expect({ state, timeout: definition.TimeoutSeconds }).toEqual({ state, timeout: expect.any(Number) });
    }
  });

  it('names a state after its function, or after the script that it runs', () => {
    for (const { state, fn, payload } of tasks) {
      if (fn === 'SendCommand') expect(state).toMatch(new RegExp(`^${String(payload.script)}`));
      else if (fn === 'CheckCommand') expect(state).toMatch(new RegExp(`^Check${String(payload.script)}`));
      else if (state in POLLERS) expect(fn).toBe(POLLERS[state]);
      else expect(state).toMatch(new RegExp(`^${fn}`));
    }
  });

  it('catches every failure of every task', () => {
    for (const [state, definition] of states) {
      if (definition.Type !== 'Task' && definition.Type !== 'Map' && definition.Type !== 'Parallel') continue;
      // What happens inside an iteration or a branch ends in a state that the one around it catches.
      const catches = (definition.Catch ?? []).some(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
      const inner = ['JoinServers', 'RegisterAll'].includes(state);
      expect({ state, catches: catches || inner }).toEqual({ state, catches: true });
    }
  });

  it.each([true, false])('gives every function what its contract asks for (redriven: %p)', async (redriven) => {
    for (const { state, fn, payload } of tasks) {
      const place = { state, field: 'Arguments/Payload' };
      const given = await evaluator.template(payload, bindings(VARIABLES.full ?? {}, fn, redriven), place);
      expect({ state, faults: CONTRACTS.get(fn)?.Input.safeParse(given).error?.issues ?? [] }).toEqual({
        state,
        faults: [],
      });
      if (typeof given === 'object' && given && 'execution' in given) {
        expect(given).toMatchObject({ execution: { id: EXECUTION, redrive: redriven ? 2 : 0 } });
      }
    }
  });

  it.each(['full', 'empty'])('has expressions that yield something when its variables are %s', async (which) => {
    for (const { path, field, expression } of listExpressions(machine(name))) {
      const state = path.at(-1) ?? '';
      if (which === 'empty' && GUARDED.some((guarded) => state.startsWith(guarded)) && !field.endsWith('Condition')) {
        continue;
      }
      const fn = tasks.find((task) => task.state === state)?.fn;
      const value = await evaluator.expression(expression, bindings(VARIABLES[which] ?? {}, fn, false, state), {
        state,
        field,
      });
      expect(value).toBeDefined();
      if (field.endsWith('Condition')) expect(typeof value).toBe('boolean');
      if (field === 'Items') expect(Array.isArray(value)).toBe(true);
    }
  });

  it('has scripts whose output the expressions know', () => {
    expect(SCRIPT_OUTPUT.StartServer.safeParse(RESULTS.CheckCommand).success).toBe(true);
  });
});

it('every function of the workflows is used by one of them', () => {
  const used = new Set(WORKFLOWS.flatMap((name) => tasksOf(name).map(({ fn }) => fn)));
  const events = ['BuildImage', 'GuardDeletion', 'HandleNodeEvent', 'Notify'];
  expect([...CONTRACTS.keys()].filter((stem) => !used.has(stem) && !events.includes(stem))).toEqual([]);
});
