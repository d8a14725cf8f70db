import { z } from 'zod';
import { AwsError, type Operation, operation, type World } from '../service';
import { filter, page } from './filters';
import { checkForm, type IdKind, notFound } from './ids';
import { tagNeeds } from './permissions';
import { DESCRIBE, TAG, type Tag } from './schema';

/** A resource that carries tags, wherever it is kept. */
export interface Taggable {
  id: string;
  kind: IdKind;
  type: string;
  tags: Map<string, string>;
}

const LIMIT = 50;

/**
 * Refuses what nobody may set. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
 *
 * @throws AwsError InvalidParameterValue, TagLimitExceeded
 */
export function checkTags(tags: Tag[], present: ReadonlyMap<string, string> = new Map()): void {
  const reserved = tags.find(({ Key }) => Key.toLowerCase().startsWith('aws:'));
  if (reserved) {
    throw new AwsError(
      'InvalidParameterValue',
      `Value ( ${reserved.Key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`,
    );
  }
  const keys = new Set([...present.keys()].filter((key) => !key.startsWith('aws:')));
  for (const { Key } of tags) keys.add(Key);
  if (keys.size > LIMIT) throw new AwsError('TagLimitExceeded', `More than ${LIMIT} tags on a resource`);
}

/** The operations on tags, over whatever `taggable` lists. */
export function tagOperations(world: World, taggable: () => Taggable[]): Record<string, Operation> {
  const find = (ids: string[]) => {
    const byId = new Map(taggable().map((resource) => [resource.id, resource]));
    return ids.map((id) => {
      const resource = byId.get(id);
      if (resource) return resource;
      const kind = id.slice(0, Math.max(0, id.indexOf('-')));
      if (!isKind(kind)) throw new AwsError('InvalidID', `The ID '${id}' is not valid`);
      checkForm(kind, [id]);
      throw notFound(kind, [id]);
    });
  };
  const RESOURCES = { DryRun: DESCRIBE.DryRun, ResourceId: z.array(z.string()).min(1) };
  return {
    CreateTags: operation({
      input: z.strictObject({ ...RESOURCES, Tag: z.array(TAG).min(1) }),
      needs: ({ ResourceId, Tag }) => tagNeeds(world, 'CreateTags', find(ResourceId), Tag),
      handle: ({ ResourceId, Tag }) => {
        const resources = find(ResourceId);
        for (const { tags } of resources) checkTags(Tag, tags);
        for (const { tags } of resources) for (const { Key, Value } of Tag) tags.set(Key, Value);
        return { return: true };
      },
    }),
    DeleteTags: operation({
      input: z.strictObject({
        ...RESOURCES,
        Tag: z.array(z.strictObject({ Key: z.string(), Value: z.string().optional() })).default([]),
      }),
      needs: ({ ResourceId }) => tagNeeds(world, 'DeleteTags', find(ResourceId), []),
      handle: ({ ResourceId, Tag }) => {
        for (const { tags } of find(ResourceId)) {
          const keys = Tag.length > 0 ? Tag : [...tags.keys()].map((Key) => ({ Key, Value: undefined }));
          for (const { Key, Value } of keys) {
            if (!Key.startsWith('aws:') && (Value === undefined || tags.get(Key) === Value)) tags.delete(Key);
          }
        }
        return { return: true };
      },
    }),
    DescribeTags: operation({
      input: z.strictObject(DESCRIBE),
      handle: (input) => {
        const rows = taggable().flatMap(({ id, type, tags }) =>
          [...tags].map(([key, value]) => ({ id, type, key, value, tags: new Map([[key, value]]) })),
        );
        const found = filter(rows, input.Filter, {
          key: ({ key }) => key,
          value: ({ value }) => value,
          'resource-id': ({ id }) => id,
          'resource-type': ({ type }) => type,
        });
        const { items, nextToken } = page(found, ({ id, key }) => `${id} ${key}`, input);
        return {
          tagSet: items.map(({ id, type, key, value }) => ({ resourceId: id, resourceType: type, key, value })),
          nextToken,
        };
      },
    }),
  };
}

const KINDS: readonly string[] = ['i', 'subnet', 'vpc', 'sg', 'lt', 'vol', 'eni'];
const isKind = (kind: string): kind is IdKind => KINDS.includes(kind);
