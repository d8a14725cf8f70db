/** Reads a cloud assembly (`cdk.out`): the one stack in it, and its assets. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DeploymentError } from './errors';
import { TEMPLATE, type Template } from './template';

/** Of the manifests only what is used is described: they are written by the CDK, whose versions add to them freely. */
const MANIFEST = z.object({
  artifacts: z.record(
    z.string(),
    z.object({ type: z.string(), properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});
const STACK = z.object({
  templateFile: z.string(),
  stackName: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
});
const ASSET_FILE = z.object({ file: z.string() });
const ASSETS = z.object({
  files: z
    .record(
      z.string(),
      z.object({
        source: z.object({ path: z.string(), packaging: z.enum(['file', 'zip']) }),
        destinations: z.record(z.string(), z.object({ bucketName: z.string(), objectKey: z.string() })),
      }),
    )
    .default({}),
});

export interface Asset {
  bucket: string;
  key: string;
  /** Absolute: the file itself, or the directory that would be zipped. */
  path: string;
  packaging: 'file' | 'zip';
}

export interface Assembly {
  stackName: string;
  template: Template;
  /** Tags of the stack, which CloudFormation gives to every resource that takes tags. */
  tags: Record<string, string>;
  assets: Asset[];
  /** What the CDK would have uploaded to this place. */
  asset(bucket: string, key: string): Asset | undefined;
}

/** @throws DeploymentError when there is not exactly one stack, or a file is not what it should be */
export function readAssembly(directory: string, { account, region }: { account: string; region: string }): Assembly {
  const artifacts = Object.entries(read(join(directory, 'manifest.json'), MANIFEST).artifacts);
  const stacks = artifacts.filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const [found] = stacks;
  if (!found || stacks.length > 1) {
    throw new DeploymentError(`${directory} must contain exactly one stack, it contains ${stacks.length}`);
  }
  const [id, { properties }] = found;
  const { templateFile, stackName = id, tags } = parse(STACK, properties, join(directory, 'manifest.json'));
  const environment: Record<string, string> = { AccountId: account, Region: region, Partition: 'aws' };
  const locate = (text: string) =>
    text.replace(/\$\{AWS::(AccountId|Region|Partition)\}/g, (_placeholder, name: string) => environment[name]!);
  const assets = artifacts
    .filter(([, { type }]) => type === 'cdk:asset-manifest')
    .map(([, artifact]) => read(join(directory, parse(ASSET_FILE, artifact.properties, directory).file), ASSETS))
    .flatMap(({ files }) => Object.values(files))
    .flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ bucketName, objectKey }) => ({
        bucket: locate(bucketName),
        key: locate(objectKey),
        path: join(directory, source.path),
        packaging: source.packaging,
      })),
    );
  return {
    stackName,
    template: read(join(directory, templateFile), TEMPLATE),
    tags,
    assets,
    asset: (bucket, key) => assets.find((asset) => asset.bucket === bucket && asset.key === key),
  };
}

/** Files as they were when they were last read: a simulation deploys the same assembly a thousand times. */
const known = new Map<string, { version: string; content: unknown }>();

function read<T>(path: string, schema: z.ZodType<T>): T {
  const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  const version = `${mtimeMs} ${size}`;
  const before = known.get(path);
  // It went through this very schema: a path is read for one purpose.
  if (before?.version === version) return before.content as T;
  const content = readAnew(path, schema);
  known.set(path, { version, content });
  return content;
}

function readAnew<T>(path: string, schema: z.ZodType<T>): T {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new DeploymentError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  return parse(schema, content, path);
}

function parse<T>(schema: z.ZodType<T>, content: unknown, path: string): T {
  const result = schema.safeParse(content);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`);
  throw new DeploymentError(`${path} is not what it should be: ${faults.join('; ')}`);
}
