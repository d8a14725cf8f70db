/** The embedded AWS as a whole: its services, its machines, and the stack deployed into it. */
import { Registry } from './aws/ecr/registry';
import { reviewPolicies } from './aws/iam/review';
import type { LambdaRuntime } from './aws/lambda';
import type { World } from './aws/service';
import type { Clock } from './clock';
import { Credentials } from './credentials';
import { Faults } from './faults';
import { Incidents } from './incidents';
import { incidentRoutes } from './incidents/routes';
import { createK3s, type K3s } from './k3s';
import { BashMachineHost } from './k3s/host/bash-host';
import type { HostOptions } from './k3s/host/options';
import { TwinMachineHost } from './k3s/host/twin-host';
import { Latency } from './latency';
import { createSocketNetwork } from './network-sockets';
import { TableNetwork } from './network-table';
import { Random } from './random';
import { createServices, listServices, type Services } from './services';
import { CustomResourceResponses, deploy, RESPONSE_PATH, readAssembly, type Stack } from './stack';
import { type ClusterState, describeCluster, inbox } from './state';
import { createEntrances, type Direct, type Endpoint, type EndpointOptions } from './wire/endpoint';
import type { WireResponse } from './wire/http';
import { jsonResponse, type Route, serve } from './wire/server';

/** What functions may be run in. */
export interface Surroundings {
  world: World;
  endpoint: Endpoint;
  /** Calls without the wire. */
  direct: Direct;
  /** Answers HTTP requests that are no AWS service. */
  route: Route;
}

export interface EmbeddedOptions {
  /** The cloud assembly to deploy (`cdk.out`). */
  assembly: string;
  clock: Clock;
  /** All chance comes from it. */
  seed: number | string;
  /** Paris unless given. */
  region?: string;
  /** Names of the availability zones, in order; the region's first three unless given. */
  zones?: string[];
  /** Of the AWS endpoint on 127.0.0.1; 0: any free one, also for the load balancer. Undefined: there are no sockets. */
  port?: number;
  /** Where machines keep their disks. Undefined: node scripts run as their in-process twins. */
  directory?: string;
  /** Where functions run; worker threads unless given. */
  runtime?(aws: Surroundings): LambdaRuntime;
  /**
   * False: policies are not compared with AWS' reference of actions, resources and condition keys, which takes a tenth of
   * a second to load.
   */
  reviewPolicies?: boolean;
  /** Told of every call of the AWS API, after it. */
  observe?: EndpointOptions['observe'];
  log?(message: string, detail?: Record<string, unknown>): void;
}

/** A running embedded AWS with a deployed stack. */
export interface EmbeddedAws {
  world: World;
  services: Services;
  network: Awaited<ReturnType<typeof createSocketNetwork>> | TableNetwork;
  /** The AWS wire. */
  endpoint: Endpoint;
  /** Where it listens, `http://127.0.0.1:4566`. */
  url: string;
  stack: Stack;
  /** What people look at: servers, targets, members, Nodes, instances, executions. */
  state(): ClusterState;
  /** Makes things go wrong. */
  incidents: Incidents;
  /** K3s on the machines, for onlookers. */
  k3s: Pick<K3s, 'clusters' | 'crash'>;
  /** Answers the requests that are no AWS wire: `/_local/…`. */
  route: Route;
  /** Ends everything that was started. */
  close(): Promise<void>;
}

const ACCOUNT = '000000000000';
export const DEFAULT_REGION = 'eu-west-3';

/** What ends a part of it, in the order of the parts' creation. */
type Closers = (() => Promise<void> | void)[];

/**
 * Boots an embedded AWS and deploys the assembly into it.
 *
 * @throws AddressInUse when a port is taken
 * @throws DeploymentError when the template uses what is not modelled, or a resource cannot be created
 */
export async function boot(options: EmbeddedOptions): Promise<EmbeddedAws> {
  const closers: Closers = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return { ...(await assemble(options, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(options: EmbeddedOptions, closers: Closers): Promise<Omit<EmbeddedAws, 'close'>> {
  const { clock, region = DEFAULT_REGION, log = () => {} } = options;
  const random = new Random(options.seed);
  const faults = new Faults();
  const world: World = {
    clock,
    random,
    latency: new Latency(random.fork('latency'), (name, service) => faults.slowness(name, service)),
    faults,
    credentials: new Credentials(random.fork('credentials')),
    account: ACCOUNT,
    region,
    zones: options.zones ?? ['a', 'b', 'c'].map((letter) => `${region}${letter}`),
    log,
  };
  closers.push(() => clock.close());
  const assembly = readAssembly(options.assembly, world);
  const network =
    options.port === undefined
      ? new TableNetwork(clock)
      : await createSocketNetwork({ clock, ephemeral: options.port === 0 });
  closers.push(() => network.close());

  // Machines and functions call the endpoint, whose services need machines and functions: the cycle closes here.
  let entrances: ReturnType<typeof createEntrances> | undefined;
  const entered = () => {
    if (!entrances) throw new Error('the embedded AWS is still being put together');
    return entrances;
  };
  const endpoint: Endpoint = (request) => entered().endpoint(request);
  const direct: Direct = {
    call: (call) => entered().direct.call(call),
    read: (request) => entered().direct.read(request),
  };
  const responses = new CustomResourceResponses();
  const route: Route = (request) =>
    responses.route(request) ?? routes[`${request.method} ${request.path}`]?.(request) ?? jsonResponse(UNKNOWN, 404);

  const k3s = createK3s(world, {
    network,
    registries: { holds: (image) => registry.holds(image), pull: (image, login) => registry.ask(image, login) },
  });
  closers.push(() => k3s.close());
  const machines: HostOptions = {
    clock,
    latency: world.latency,
    faults,
    endpoint,
    commands: k3s.commands,
    urls: k3s.respond,
    online: (address) => network.reachable(address, 'aws') && network.reachable('aws', address),
    events: k3s,
    log,
  };
  const host =
    options.directory === undefined
      ? new TwinMachineHost(machines)
      : await BashMachineHost.start({ ...machines, directory: options.directory });
  closers.push(() => host.close());

  let url = 'http://127.0.0.1:4566';
  const runtime = options.runtime?.({ world, endpoint, direct, route });
  const services = createServices({ world, network, host, assembly, endpoint, endpointUrl: () => url, runtime });
  const registry = new Registry(world, services.ecr, endpoint);
  const all = listServices(services);
  closers.push(...all.map((service) => () => service.close?.()));
  const state = () => describeCluster(services, k3s, clock.now());
  const incidents = new Incidents(world, services, network, k3s);
  closers.push(() => void incidents.clear());
  const routes: Record<string, Route> = {
    'GET /_local/state': () => jsonResponse(state()),
    'GET /_local/inbox': () => jsonResponse(inbox(services)),
    'GET /_local/kubeconfig': ({ query }) => kubeconfig(k3s, query.get('instance') ?? ''),
    ...incidentRoutes(incidents),
  };
  const { authority } = services.iam;
  entrances = createEntrances(world, all, {
    observe: options.observe,
    refusal: (principal, needs) => authority.refusal(principal, needs),
  });

  if (options.port !== undefined) {
    const served = await serve(endpoint, {
      port: options.port,
      routes: {
        'GET /_local/*': route,
        'POST /_local/*': route,
        'DELETE /_local/*': route,
        [`PUT ${RESPONSE_PATH}*`]: route,
      },
    });
    url = served.url;
    closers.push(() => served.close());
  }
  const stack = await deploy(assembly, all, {
    world,
    lambda: services.lambda,
    responses,
    endpointUrl: url,
    review: options.reviewPolicies === false ? undefined : reviewPolicies,
  });
  return { world, services, network, endpoint, url, stack, state, incidents, k3s, route };
}

/** In place of a Session Manager session that reads the file: sessions' data channels are not modelled. */
function kubeconfig(k3s: K3s, instanceId: string): WireResponse {
  const text = k3s.kubeconfig(instanceId);
  if (text === undefined) return jsonResponse({ error: `${instanceId} has no kubeconfig: K3s never ran there` }, 404);
  return { status: 200, headers: { 'content-type': 'application/yaml' }, body: Buffer.from(text) };
}

const UNKNOWN = {
  error:
    'the embedded AWS has no such page; there are /_local/state, /_local/inbox, /_local/faults and /_local/kubeconfig',
};
