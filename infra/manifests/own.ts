import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { ConfigError, type Fault } from '../config-error';
import { identity, type KubernetesObject, label, OBJECT } from './object';
import { parseDocuments } from './read';

const LIST = z.looseObject({ kind: z.literal('List'), items: z.array(z.unknown()) });

/** What the rest may need, wherever in the folder it is. */
const FIRST = ['Namespace', 'CustomResourceDefinition'];

/**
 * The user's own objects: every YAML and JSON file below a folder, in the order of their paths; namespaces and definitions
 * first.
 * @param folder as `manifests` in cluster.json says, relative to the project root
 * @param shipped what they must not collide with
 * @throws ConfigError naming every fault with its file
 */
export function readOwn(root: string, folder: string, shipped: readonly KubernetesObject[]): KubernetesObject[] {
  const directory = resolve(root, folder);
  const faults: Fault[] = [];
  const fault = (message: string) => faults.push({ path: 'manifests', message });
  const owners = new Map(shipped.map((object) => [identity(object), 'this project ships it']));
  const found: KubernetesObject[] = [];
  for (const name of filesIn(directory, fault, folder)) {
    const file = join(folder, name);
    for (const content of contentsOf(join(directory, name), file, fault)) {
      const parsed = OBJECT.safeParse(content);
      if (!parsed.success) {
        for (const { path, message } of parsed.error.issues)
          fault(`${file}: ${path.join('.') || 'object'}: ${message}`);
        continue;
      }
      const object = parsed.data;
      const owner = owners.get(identity(object));
      const problem = owner === undefined ? refusal(object) : `${label(object)} must not be here: ${owner}`;
      if (problem !== undefined) fault(`${file}: ${problem}`);
      owners.set(identity(object), `${file} has it as well`);
      found.push(object);
    }
  }
  if (faults.length > 0) throw new ConfigError('cluster.json', faults);
  return found.sort((one, other) => Number(!FIRST.includes(one.kind)) - Number(!FIRST.includes(other.kind)));
}

/** Why an object cannot be delivered; undefined when it can. */
function refusal(object: KubernetesObject): string | undefined {
  if (object.kind === 'Secret') {
    return `${label(object)} must not be here: the file with all manifests lies readable in a bucket. Create secrets with kubectl, or in the cluster`;
  }
  if (object.apiVersion.startsWith('kustomize.config.k8s.io/')) {
    return 'is for kustomize, which does not run here: write what "kubectl kustomize" prints to a file instead';
  }
  return undefined;
}

function filesIn(directory: string, fault: (message: string) => void, folder: string): string[] {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) {
    fault(`must be a folder with manifests, ${folder} is none`);
    return [];
  }
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(ya?ml|json)$/.test(name),
  );
  if (files.length === 0) fault(`must be a folder with manifests, ${folder} has no YAML or JSON file`);
  return files.sort();
}

function contentsOf(path: string, file: string, fault: (message: string) => void): unknown[] {
  try {
    // JSON is YAML.
    return parseDocuments(readFileSync(path, 'utf8'), file).flatMap((content) => {
      const list = LIST.safeParse(content);
      return list.success ? list.data.items : [content];
    });
  } catch (error) {
    fault(error instanceof Error ? error.message : String(error));
    return [];
  }
}
