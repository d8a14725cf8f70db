/** The documents of the account. Each is created by the stack, in its first version. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Random } from '../../random';
import { arnOf } from '../arn';
import { AwsError, type Provisioned, type World } from '../service';
import { type Document, parseContent } from './document';
import { invalidDocument, invalidDocumentVersion } from './errors';

/** Name filters of ListDocuments and the document property each compares. */
const FILTERS: Record<string, (document: Document, value: string, account: string) => boolean> = {
  Name: ({ name }, value) => name.startsWith(value),
  Owner: (_document, value, account) => value === 'Self' || value === account,
  DocumentType: (_document, value) => value === 'Command',
  PlatformTypes: (_document, value) => value === 'Linux',
};

export const PROPERTIES = z.strictObject({
  Content: z.union([z.string(), z.record(z.string(), z.unknown())]),
  DocumentFormat: z.enum(['JSON', 'YAML']).default('JSON'),
  DocumentType: z.literal('Command'),
  Name: z
    .string()
    .regex(/^[a-zA-Z0-9_\-.]{3,128}$/)
    .optional(),
  TargetType: z.literal('/AWS::EC2::Instance').optional(),
  UpdateMethod: z.enum(['NewVersion', 'Replace']).optional(),
  VersionName: z.string().optional(),
  Tags: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]),
});

export class Documents {
  private readonly byName = new Map<string, Document>();

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {}

  create(properties: z.infer<typeof PROPERTIES>, logicalId: string): Provisioned {
    const { clock } = this.world;
    const name = properties.Name ?? `${logicalId}-${this.random.hex(12).toUpperCase()}`;
    if (this.byName.has(name)) throw new AwsError('DocumentAlreadyExists', `Document ${name} already exists.`);
    this.byName.set(name, {
      name,
      version: '1',
      format: properties.DocumentFormat,
      createdAt: new Date(clock.now()),
      tags: properties.Tags,
      ...parseContent(properties.Content, properties.DocumentFormat),
    });
    return { ref: name, attributes: {} };
  }

  /** By name or ARN. Throws InvalidDocument, InvalidDocumentVersion. */
  get(reference: string, version = '$DEFAULT'): Document {
    const { region, account } = this.world;
    const prefix = `arn:aws:ssm:${region}:${account}:document/`;
    const document = this.byName.get(reference.startsWith(prefix) ? reference.slice(prefix.length) : reference);
    if (!document) throw invalidDocument(reference);
    if (!['$DEFAULT', '$LATEST', document.version].includes(version)) throw invalidDocumentVersion(version);
    return document;
  }

  /** The ARN of a document, also of one that does not exist, and its tags. */
  identityOf(reference: string): { arn: string; tags: [key: string, value: string][] } {
    const arn = reference.startsWith('arn:') ? reference : arnOf(this.world, 'ssm', `document/${reference}`);
    const tags = this.byName.get(arn.slice(arn.lastIndexOf('/') + 1))?.tags ?? [];
    return { arn, tags: tags.map(({ Key, Value }) => [Key, Value]) };
  }

  list(filters: { Key: string; Values: string[] }[]) {
    const unknown = filters.find(({ Key }) => !FILTERS[Key]);
    if (unknown) throw new AwsError('InvalidFilterKey', `The filter key ${unknown.Key} is not valid.`);
    return [...this.byName.values()]
      .filter((document) =>
        filters.every(({ Key, Values }) => Values.some((value) => FILTERS[Key]?.(document, value, this.world.account))),
      )
      .map((document) => this.identify(document));
  }

  describe(name: string, version: string | undefined) {
    const document = this.get(name, version);
    return {
      ...this.identify(document),
      Status: 'Active',
      Hash: createHash('sha256').update(document.source).digest('hex'),
      HashType: 'Sha256',
      CreatedDate: document.createdAt,
      Description: document.description,
      Parameters: Object.entries(document.parameters).map(([Name, parameter]) => ({
        Name,
        Type: parameter.type,
        Description: parameter.description,
        DefaultValue: parameter.default,
      })),
      LatestVersion: document.version,
      DefaultVersion: document.version,
    };
  }

  show(name: string, version: string | undefined) {
    const document = this.get(name, version);
    return {
      Name: document.name,
      DocumentVersion: document.version,
      Status: 'Active',
      Content: document.source,
      DocumentType: 'Command',
      DocumentFormat: document.format,
      CreatedDate: document.createdAt,
    };
  }

  private identify({ name, version, format, tags, createdAt }: Document) {
    return {
      Name: name,
      Owner: this.world.account,
      DocumentVersion: version,
      DocumentType: 'Command',
      DocumentFormat: format,
      SchemaVersion: '2.2',
      PlatformTypes: ['Linux'],
      TargetType: '/AWS::EC2::Instance',
      CreatedDate: createdAt,
      Tags: tags,
    };
  }
}
