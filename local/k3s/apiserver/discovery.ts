/** What the API serves: `/api`, `/apis` and what is below, as clients ask before they ask for anything else. */
import type { Api } from '../api';
import { allKinds, group, type Kind } from '../kinds';

/** The document at a discovery path; undefined when it is none, or of a group that is not there. */
export function discovery(api: Api, path: string): unknown {
  const kinds = allKinds().filter((kind) => api.serves(kind));
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups(kinds) };
  const one = /^\/apis\/([^/]+)$/.exec(path)?.[1];
  if (one !== undefined) {
    const found = groups(kinds).find(({ name }) => name === one);
    return found && { kind: 'APIGroup', apiVersion: 'v1', ...found };
  }
  const version = /^\/api\/(v1)$/.exec(path)?.[1] ?? /^\/apis\/([^/]+\/[^/]+)$/.exec(path)?.[1];
  const served = kinds.filter(({ apiVersion }) => apiVersion === version);
  if (version === undefined || served.length === 0) return undefined;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: version, resources: served.map(resourceOf) };
}

function groups(kinds: readonly Kind[]) {
  const versions = new Set(kinds.filter((kind) => group(kind) !== '').map(({ apiVersion }) => apiVersion));
  return [...versions].map((groupVersion) => {
    const [name = '', version = ''] = groupVersion.split('/');
    return { name, versions: [{ groupVersion, version }], preferredVersion: { groupVersion, version } };
  });
}

/** Reads only: what a client may not do here it is told not to be able to. */
function resourceOf(kind: Kind) {
  return {
    name: kind.plural,
    singularName: kind.kind.toLowerCase(),
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: ['get', 'list', 'watch'],
    ...(kind.short.length > 0 && { shortNames: kind.short }),
    ...(kind.everyday && { categories: ['all'] }),
  };
}
