/** What must be true of single calls, apart from who makes them. */
import { z } from 'zod';
import type { ObservedCall } from '../../support/embedded';
import type { Stage } from '../stage';
import type { Check, Steps } from './steps';

const DEREGISTERED = z.object({ Targets: z.array(z.object({ Id: z.string() })) });

const isGone = (instanceId: string, { truth }: Stage) =>
  !truth.living.some((instance) => instance.instanceId === instanceId);

/** A server loses its traffic when it has ended, or when all of them are to end. */
export const onlyTheGoneLoseTraffic: Check<Steps['action']> = ({ call }, stage) => {
  if (call.operation !== 'DeregisterTargets' || stage.truth.wanted.desired === 'absent') return null;
  const { Targets } = DEREGISTERED.parse(call.input);
  const alive = Targets.filter(({ Id }) => !isGone(Id, stage)).map(({ Id }) => stage.label(Id));
  return alive.length > 0 ? `${call.caller} deregisters ${alive.join(' and ')}, which still lives` : null;
};

const parameter = z.tuple([z.string()]).transform(([value]) => value);

const REMOVAL = z.object({
  DocumentName: z.string().endsWith('-RemoveMember'),
  Parameters: z.object({ nodeName: parameter }),
});

export const onlyTheGoneAreRemoved: Check<Steps['action']> = ({ call }, stage) => {
  const removal = REMOVAL.safeParse(call.operation === 'SendCommand' ? call.input : null);
  if (!removal.success) return null;
  const { nodeName } = removal.data.Parameters;
  const state = stage.truth.instance(nodeName)?.state ?? 'terminated';
  return state === 'terminated' ? null : `${stage.label(nodeName)} is to leave the cluster while EC2 says ${state}`;
};

const START = z.object({
  DocumentName: z.string().endsWith('-StartServer'),
  InstanceIds: z.tuple([z.string()]),
  Parameters: z.object({ mode: z.tuple([z.literal('init')]) }),
});

/** The one that the record names, and no other while one that was told before may still do it. */
export const onlyOneInitialises: Check<Steps['action']> = ({ call }, stage) => {
  const start = START.safeParse(call.operation === 'SendCommand' ? call.input : null);
  if (!start.success) return null;
  const [instanceId] = start.data.InstanceIds;
  const { phase, initInstanceId } = stage.truth.wanted;
  stage.initialisers.add(instanceId);
  if (phase !== 'initialising' || initInstanceId !== instanceId)
    return `${stage.label(instanceId)} is told to begin a cluster, and the record says ${phase} ${initInstanceId ?? ''}`;
  const former = [...stage.initialisers].find((other) => other !== instanceId && !isGone(other, stage));
  return former === undefined
    ? null
    : `${stage.label(instanceId)} is told to begin a cluster, as was ${stage.label(former)}, which still lives`;
};

const TAKEN = z.object({
  Key: z.object({ id: z.object({ S: z.literal('lease') }) }),
  UpdateExpression: z.string(),
  ExpressionAttributeValues: z.record(z.string(), z.looseObject({ S: z.string().optional() })),
});

/** For so long, ms, a function of an execution that has ended may still be at work. */
const FUNCTION_MS = 30_000;

/** The lease is changed on condition that another execution holds it: that is how it is taken from one that has ended. */
export const leaseIsTakenFromTheDead: Check<ObservedCall> = ({ operation, input, error, caller, at }, { aws }) => {
  if (operation !== 'UpdateItem' || error !== undefined || !caller.endsWith('acquire-lease')) return null;
  const change = TAKEN.safeParse(input);
  if (!change.success) return null;
  const named = new Set(
    Object.values(change.data.ExpressionAttributeValues).flatMap(
      ({ S = '' }) => S.match(/^arn:.+:execution:[^#]+/) ?? [],
    ),
  );
  // When it first finds a lease left behind it only writes that down, and names one.
  if (named.size < 2) return null;
  const atWork = aws.services.states
    .listExecutions()
    .filter(({ arn, stoppedAt }) => named.has(arn) && at - (stoppedAt ?? at) < FUNCTION_MS);
  // The one that takes it is one of them.
  return atWork.length > 1
    ? `the lease is taken while ${atWork.map(({ name }) => name).join(' and ')} may both be at work`
    : null;
};
