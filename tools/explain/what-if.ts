/** What the verdict would be if something else were so: each answer is the verdict of an observation that is made up. */
import { judge } from '../../functions/cluster/judgement';
import { DEFAULT_LIMITS } from '../../functions/cluster/limits';
import { label } from '../../functions/cluster/names';
import type { Observation, ObservedInstance } from '../../functions/cluster/observation';
import { isInService, isJoined, type Server } from '../../functions/cluster/readiness';
import {
  API_TARGET_UNHEALTHY,
  isSufficient,
  NODE_NOT_READY,
  nextSuspicion,
  STOPPED,
} from '../../functions/cluster/suspicion';
import { assess, type Policy, type Verdict } from '../../functions/cluster/verdict';

export interface WhatIf {
  /** Completes "if …". */
  condition: string;
  verdict: Verdict;
}

/** The questions that somebody has who looks at this cluster now. */
export function whatIfs(observation: Observation, policy: Policy): WhatIf[] {
  const { dwellSeconds } = policy.limits ?? DEFAULT_LIMITS;
  const { servers, pending, retire } = judge(observation, policy.limits);
  const ask = (condition: string, imagined: Observation): WhatIf => ({ condition, verdict: assess(imagined, policy) });
  const answers: WhatIf[] = [];
  const suspects = pending
    .map(({ server }) => server)
    .filter((server) => isJoined(server) || server.state === 'stopped');
  for (const server of suspects) {
    const suspicion = nextSuspicion(observation, server.slot, policy.limits);
    const agreed = suspicion !== null && isSufficient(suspicion.signals);
    const until = time((agreed ? suspicion.since : observation.at) + dwellSeconds * 1000);
    const condition = agreed
      ? `that lasts until ${until}`
      : `a second signal against ${label(server)} appears and both last until ${until}`;
    answers.push(
      ask(
        condition,
        agreed && server.state === 'stopped'
          ? dwell(observation, server, [STOPPED], policy)
          : hang(observation, server, policy),
      ),
    );
  }
  const healthy = servers.filter((server) => isInService(server) && !suspects.includes(server));
  const [first, second] = healthy;
  if (!first) return answers;
  if (suspects.length > 0 || retire.length > 0) {
    const sick = suspects.reduce((imagined, server) => hang(imagined, server, policy), observation);
    answers.push(ask(`${label(first)} stopped answering as well, for ${dwellSeconds} s`, hang(sick, first, policy)));
    return answers;
  }
  answers.push(ask(`${label(first)} were terminated`, terminate(observation, first)));
  answers.push(ask(`${label(first)} stopped answering for ${dwellSeconds} s`, hang(observation, first, policy)));
  if (second) {
    const both = hang(hang(observation, first, policy), second, policy);
    answers.push(ask(`${label(first)} and ${label(second)} both stopped answering`, both));
  }
  return answers;
}

/** It answers nobody any more, for the whole dwell: neither the load balancer, nor Kubernetes, nor SSM. */
function hang(observation: Observation, server: Server, policy: Policy): Observation {
  const silent = change(observation, server, { report: null, targets: { ...server.targets, api: 'unhealthy' } });
  const imagined = dwell(silent, server, [API_TARGET_UNHEALTHY, NODE_NOT_READY], policy);
  if (!imagined.view) return imagined;
  const { members } = imagined.view;
  const reporters = imagined.view.reporters.filter((reporter) => reporter !== server.instanceId);
  const nodes = imagined.view.nodes.map((node) =>
    node.name === server.instanceId ? { ...node, ready: 'Unknown' as const } : node,
  );
  return { ...imagined, view: { members, reporters, nodes } };
}

/** EC2 has ended it. */
function terminate(observation: Observation, server: Server): Observation {
  const imagined = change(observation, server, { state: 'terminated', report: null, privateIp: null });
  if (!imagined.view) return imagined;
  const reporters = imagined.view.reporters.filter((reporter) => reporter !== server.instanceId);
  return { ...imagined, view: { ...imagined.view, reporters } };
}

/** These signals have been seen without a break for as long as it takes. */
function dwell(observation: Observation, { slot, instanceId }: Server, signals: string[], policy: Policy): Observation {
  const { dwellSeconds } = policy.limits ?? DEFAULT_LIMITS;
  const suspicion = { instanceId, since: observation.at - dwellSeconds * 1000, lastSeen: observation.at, signals };
  const slots = observation.slots.map((record) => (record.slot === slot ? { ...record, suspicion } : record));
  return { ...observation, slots };
}

function change(observation: Observation, { instanceId }: Server, fields: Partial<ObservedInstance>): Observation {
  const instances = observation.instances.map((instance) =>
    instance.instanceId === instanceId ? { ...instance, ...fields } : instance,
  );
  return { ...observation, instances };
}

/** Of day, UTC. */
export const time = (at: number) => new Date(at).toISOString().slice(11, 19);
