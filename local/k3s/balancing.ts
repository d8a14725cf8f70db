/** kube-proxy's choice of an endpoint, and whether packets really arrive there. */
import type { Container } from './containers';
import type { ServerMachine } from './machine';
import type { Service } from './objects';
import type { Endpoint } from './rules';

/**
 * One of the endpoints that a node knows, at random; its own ones first with `trafficDistribution: PreferSameNode`. An
 * endpoint on a dead node stays in the choice until its Node is NotReady.
 */
export function pick(machine: ServerMachine, service: Service, endpoints: readonly Endpoint[]): Endpoint | undefined {
  const own = endpoints.filter(({ address }) => address === machine.address);
  const prefersOwn = service.spec.trafficDistribution === 'PreferSameNode' && own.length > 0;
  const choice = prefersOwn ? own : endpoints;
  return choice.length > 0 ? machine.model.world.random.pick(choice) : undefined;
}

/** The container behind an endpoint; undefined when its machine is gone, hangs or is cut off. */
export function reachable(from: ServerMachine, { uid, address }: Endpoint): Container | undefined {
  const { model } = from;
  const machine = address === from.address ? from : model.machineAt(address);
  if (!machine?.alive()) return undefined;
  if (machine !== from && !model.network.reachable(from.address, address)) return undefined;
  const container = machine.containers.get(uid);
  return container?.running ? container : undefined;
}
