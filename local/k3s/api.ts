/** The Kubernetes API server's rules about objects: names, finalizers, defaults, merging. Storage is etcd. */
import { isDeepStrictEqual } from 'node:util';
import type { World } from '../aws/service';
import { admit } from './admission';
import type { Etcd } from './etcd';
import { isUnmodelled, type Kind, kindNamed, kindOf, resource } from './kinds';
import { managedBy, released } from './managed-fields';
import { type PortRange, pickNodePort } from './node-ports';
import { type KubeObject, Service, timestamp } from './objects';
import type { PodSecurityDefaults } from './pod-security';

/** What the API server answers instead of an object; `reason` is what kubectl puts into brackets. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    readonly reason: 'NotFound' | 'AlreadyExists' | 'BadRequest' | 'Forbidden' | 'InternalError' | 'Invalid',
    message: string,
  ) {
    super(message);
  }
}

/** A kind the server has no definition of. */
export class NoMatch extends Error {
  override readonly name = 'NoMatch';
}

/** What servers are configured with and the API server goes by. */
export interface ApiSettings {
  podSecurity: PodSecurityDefaults;
  nodePorts: PortRange;
}

export class Api {
  /** Of each kind, until one of them is written: controllers list every second, and seldom has anything changed. */
  private readonly lists = new Map<string, KubeObject[]>();

  constructor(
    private readonly world: World,
    private readonly etcd: Etcd<KubeObject>,
    private readonly settings: () => ApiSettings,
  ) {}

  /** As the servers were configured. */
  get podSecurity(): PodSecurityDefaults {
    return this.settings().podSecurity;
  }

  get revision(): number {
    return this.etcd.revision;
  }

  /** The kind of an object from a file. Throws NoMatch, or BadRequest for a kind that only the real K3s has. */
  kind(apiVersion: string, kind: string): Kind {
    const found = kindOf(apiVersion, kind);
    if (found && this.serves(found)) return found;
    if (!found && isUnmodelled(apiVersion)) {
      throw new ApiError('BadRequest', `the model of K3s has no ${kind} (${apiVersion})`);
    }
    throw new NoMatch(`no matches for kind "${kind}" in version "${apiVersion}"`);
  }

  /** Whether a kind is there by now: a custom one needs its definition. */
  serves(kind: Kind): boolean {
    return !kind.custom || this.get('CustomResourceDefinition', resource(kind)) !== undefined;
  }

  get(kind: string, name: string, namespace?: string): KubeObject | undefined {
    return this.etcd.get(keyOf(kind, name, namespace));
  }

  /** Throws NotFound. */
  require(kind: Kind, name: string, namespace?: string): KubeObject {
    const object = this.get(kind.kind, name, namespace);
    if (!object) throw new ApiError('NotFound', `${resource(kind)} "${name}" not found`);
    return object;
  }

  /** In the order of namespace and name, as the API server lists. */
  list<T extends KubeObject = KubeObject>(kind: string, namespace?: string): T[] {
    const all = this.lists.get(kind) ?? this.collect(kind);
    // Every object went through its kind's schema when it was written.
    return all.filter((object) => namespace === undefined || object.metadata.namespace === namespace) as T[];
  }

  private collect(kind: string): KubeObject[] {
    const path = (object: KubeObject) => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const found = [...this.etcd.values()].filter((object) => object.kind === kind);
    found.sort((a, b) => (path(a) < path(b) ? -1 : 1));
    this.lists.set(kind, found);
    return found;
  }

  /** Throws AlreadyExists, NotFound (its namespace), BadRequest, Forbidden, InternalError. */
  create(input: KubeObject): KubeObject {
    const kind = this.kind(input.apiVersion, input.kind);
    const object = this.admit(kind, input);
    admit(this, kind, object);
    const { name, namespace } = object.metadata;
    if (this.get(kind.kind, name, namespace)) {
      throw new ApiError('AlreadyExists', `${resource(kind)} "${name}" already exists`);
    }
    const created: KubeObject = {
      ...object,
      metadata: {
        ...object.metadata,
        uid: this.world.random.uuid(),
        creationTimestamp: timestamp(this.world.clock.now()),
        generation: 1,
      },
    };
    return this.store(created);
  }

  /**
   * Replaces an object. The last finalizer's removal from an object that is being deleted deletes it. Writing what is
   * there already changes nothing.
   */
  update(object: KubeObject): KubeObject | undefined {
    const { name, namespace } = object.metadata;
    const previous = this.get(object.kind, name, namespace);
    if (!previous) throw new ApiError('NotFound', `${resource(kindNamed(object.kind))} "${name}" not found`);
    if (isDeepStrictEqual(previous, object)) return previous;
    if (object.metadata.deletionTimestamp && !object.metadata.finalizers?.length && object.kind !== 'Pod') {
      this.forget(object);
      return undefined;
    }
    const changed = !isDeepStrictEqual(previous.spec, object.spec);
    const generation = (previous.metadata.generation ?? 1) + (changed ? 1 : 0);
    return this.store({ ...object, metadata: { ...object.metadata, generation } });
  }

  /**
   * Server-side apply by force: maps are merged, everything else is replaced, and what this manager set before and does not
   * set now goes.
   */
  apply(input: KubeObject, manager: string): KubeObject {
    const kind = this.kind(input.apiVersion, input.kind);
    const namespace = kind.namespaced ? (input.metadata.namespace ?? 'default') : undefined;
    const previous = this.get(kind.kind, input.metadata.name, namespace);
    const managedFields = managedBy(previous, input, manager);
    const applied = { ...input, metadata: { ...input.metadata, managedFields } };
    if (!previous) return this.create(applied);
    const merged = this.admit(kind, this.parse(kind, merge(released(previous, input, manager), applied)));
    admit(this, kind, merged);
    return this.update(merged) ?? merged;
  }

  /** RFC 7386, as `kubectl patch --type=merge`. */
  patch(kind: Kind, name: string, namespace: string | undefined, patch: Record<string, unknown>): KubeObject {
    const previous = this.require(kind, name, namespace);
    const merged = this.parse(kind, merge(previous, patch));
    return this.update(merged) ?? merged;
  }

  /**
   * Deletes, or marks as being deleted while finalizers (or, for a pod that runs somewhere, its kubelet) hold it.
   * Throws NotFound.
   */
  delete(kind: Kind, name: string, namespace?: string): void {
    const object = this.require(kind, name, namespace);
    const held = object.metadata.finalizers?.length || (kind.kind === 'Pod' && hasNode(object));
    if (!held) this.forget(object);
    else if (!object.metadata.deletionTimestamp) {
      const deletionTimestamp = timestamp(this.world.clock.now());
      this.store({ ...object, metadata: { ...object.metadata, deletionTimestamp } });
    }
  }

  /** Deletes without waiting for anybody. */
  forget(object: KubeObject): void {
    this.commit(object, undefined);
  }

  private commit({ kind, metadata: { name, namespace } }: KubeObject, value: KubeObject | undefined): void {
    this.etcd.commit(keyOf(kind, name, namespace), value);
    this.lists.delete(kind);
  }

  private store(object: KubeObject): KubeObject {
    const resourceVersion = String(this.etcd.revision + 1);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    this.commit(object, stored);
    return stored;
  }

  private parse(kind: Kind, input: unknown): KubeObject {
    const parsed = kind.schema.safeParse(input);
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join(', ');
    throw new ApiError('BadRequest', `${kind.kind} cannot be handled as a ${kind.kind}: ${faults}`);
  }

  /** Validation and defaults. */
  private admit(kind: Kind, input: KubeObject): KubeObject {
    const object = this.parse(kind, input);
    const { name } = object.metadata;
    if (!/^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/.test(name)) {
      throw new ApiError('Invalid', `${kind.kind} "${name}" is invalid: metadata.name: Invalid value: "${name}"`);
    }
    const namespace = kind.namespaced ? (object.metadata.namespace ?? 'default') : undefined;
    if (namespace !== undefined && !this.get('Namespace', namespace)) {
      throw new ApiError('NotFound', `namespaces "${namespace}" not found`);
    }
    const placed = { ...object, metadata: { ...object.metadata, namespace } };
    if (kind.kind === 'Namespace') {
      // Set by the API server, so that policies can select a namespace by its name.
      placed.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': name };
    }
    return kind.kind === 'Service' ? this.admitService(Service.parse(placed)) : placed;
  }

  private admitService(service: Service): Service {
    const { name, namespace } = service.metadata;
    const others = this.list<Service>('Service').filter(
      ({ metadata }) => metadata.name !== name || metadata.namespace !== namespace,
    );
    const range = this.settings().nodePorts;
    const taken = new Set(others.flatMap(({ spec }) => spec.ports.map(({ nodePort }) => nodePort)));
    const exposed = service.spec.type === 'NodePort' || service.spec.type === 'LoadBalancer';
    const before = this.get('Service', name, namespace);
    const kept = before ? Service.parse(before).spec.ports : [];
    const ports = service.spec.ports.map((port) => {
      if (!exposed) return port;
      const nodePort = port.nodePort ?? kept.find((own) => own.port === port.port)?.nodePort;
      if (nodePort === undefined) {
        const free = pickNodePort(range, taken, this.world.random);
        if (free === undefined) throw new ApiError('InternalError', 'failed to allocate a nodePort: range is full');
        taken.add(free);
        return { ...port, nodePort: free };
      }
      const problem = taken.has(nodePort)
        ? 'provided port is already allocated'
        : nodePort < range.first || nodePort > range.last
          ? `provided port is not in the valid range. The range of valid ports is ${range.first}-${range.last}`
          : undefined;
      if (problem) {
        const message = `Service "${name}" is invalid: spec.ports[0].nodePort: Invalid value: ${nodePort}: ${problem}`;
        throw new ApiError('Invalid', message);
      }
      return { ...port, nodePort };
    });
    const { random } = this.world;
    const own = before ? Service.parse(before).spec.clusterIP : undefined;
    const clusterIP = service.spec.clusterIP ?? own ?? `10.43.${1 + random.integer(254)}.${1 + random.integer(254)}`;
    return { ...service, spec: { ...service.spec, clusterIP, ports } };
  }
}

export function keyOf(kind: string, name: string, namespace?: string): string {
  return `/registry/${kind}/${namespace ?? ''}/${name}`;
}

function hasNode(object: KubeObject): boolean {
  const { spec } = object;
  return isMap(spec) && typeof spec.nodeName === 'string';
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Maps are merged, null removes, everything else replaces. */
function merge(base: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const result = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    const previous = result[key];
    if (value === null) delete result[key];
    else if (isMap(value)) result[key] = merge(isMap(previous) ? previous : {}, value);
    else result[key] = value;
  }
  return result;
}
