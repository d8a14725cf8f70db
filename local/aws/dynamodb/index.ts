/**
 * DynamoDB: tables with their items, conditional writes and transactions.
 * Not modelled, and therefore refused: secondary indexes, streams, time to live, batches, PartiQL, ReturnConsumedCapacity.
 */
import type { Random } from '../../random';
import { provision } from '../properties';
import { AwsError, type Operation, operation, type Provision, type Service, type World } from '../service';
import type { Item } from './attribute-value';
import type { Consumed } from './capacity';
import { invalid, tableNotFound } from './errors';
import type { DocumentPath } from './expression/ast';
import { project } from './expression/projection';
import {
  DELETE_ITEM,
  DESCRIBE_TABLE,
  GET_ITEM,
  PUT_ITEM,
  QUERY,
  SCAN,
  TRANSACT_GET_ITEMS,
  TRANSACT_WRITE_ITEMS,
  UPDATE_ITEM,
} from './inputs';
import { onTable, transactNeeds } from './permissions';
import { getItem, query, scan } from './read';
import { GLOBAL_TABLE, TABLE, type TableShape, toShape } from './resource';
import { Table } from './table';
import { transact } from './transaction';
import { commit, deleteWrite, type Plan, putWrite, updateWrite } from './write';

/** How long a ClientRequestToken is remembered, ms. Source: API reference of TransactWriteItems. */
const TOKEN_LIFETIME_MS = 10 * 60_000;

export class DynamoDb implements Service {
  readonly name = 'dynamodb';
  readonly protocol = 'json-1.0';
  readonly version = 'DynamoDB_20120810';
  readonly operations: Record<string, Operation>;
  readonly resources: Record<string, Provision>;

  private readonly random: Random;
  private readonly tables = new Map<string, Table>();
  private readonly tokens = new Map<string, { request: string; at: number }>();

  constructor(private readonly world: World) {
    this.random = world.random.fork('dynamodb');
    this.resources = {
      'AWS::DynamoDB::Table': provision('AWS::DynamoDB::Table', TABLE, (properties, logicalId) =>
        this.create(logicalId, toShape(properties)),
      ),
      'AWS::DynamoDB::GlobalTable': provision(
        'AWS::DynamoDB::GlobalTable',
        GLOBAL_TABLE(world.region),
        (properties, logicalId) => this.create(logicalId, toShape(properties)),
      ),
    };
    const may = onTable(world);
    this.operations = {
      DescribeTable: operation({
        input: DESCRIBE_TABLE,
        needs: may('DescribeTable'),
        handle: ({ TableName }) => ({ Table: this.describe(TableName) }),
      }),
      GetItem: operation({
        input: GET_ITEM,
        needs: may('GetItem'),
        handle: (input) => getItem(input, this.table(input.TableName)),
      }),
      PutItem: operation({
        input: PUT_ITEM,
        needs: may('PutItem'),
        handle: (input) => {
          requireOldOnly(input.ReturnValues);
          return this.apply(putWrite(input, this.table(input.TableName)).plan(), input.ReturnValues);
        },
      }),
      UpdateItem: operation({
        input: UPDATE_ITEM,
        needs: may('UpdateItem'),
        handle: (input) => this.apply(updateWrite(input, this.table(input.TableName)).plan(), input.ReturnValues),
      }),
      DeleteItem: operation({
        input: DELETE_ITEM,
        needs: may('DeleteItem'),
        handle: (input) => {
          requireOldOnly(input.ReturnValues);
          return this.apply(deleteWrite(input, this.table(input.TableName)).plan(), input.ReturnValues);
        },
      }),
      Query: operation({
        input: QUERY,
        needs: may('Query'),
        handle: (input) => query(input, this.table(input.TableName)),
      }),
      Scan: operation({ input: SCAN, needs: may('Scan'), handle: (input) => scan(input, this.table(input.TableName)) }),
      TransactGetItems: operation({
        input: TRANSACT_GET_ITEMS,
        needs: ({ TransactItems }) => TransactItems.flatMap(({ Get }) => may('GetItem')(Get)),
        handle: ({ TransactItems }) => ({
          Responses: TransactItems.map(({ Get }) =>
            getItem({ ...Get, ConsistentRead: true }, this.table(Get.TableName), 2),
          ),
        }),
      }),
      TransactWriteItems: operation({
        input: TRANSACT_WRITE_ITEMS,
        needs: ({ TransactItems }) => TransactItems.flatMap((item) => transactNeeds(item, may)),
        handle: ({ TransactItems, ClientRequestToken }) => {
          const request = JSON.stringify(TransactItems);
          if (ClientRequestToken && this.isRepeated(ClientRequestToken, request)) return {};
          transact(TransactItems, (name) => this.table(name));
          if (ClientRequestToken) this.tokens.set(ClientRequestToken, { request, at: this.world.clock.now() });
          return {};
        },
      }),
    };
  }

  /** Fault: eventually consistent reads of every table see the state of `ms` ago; 0 ends it. */
  lagReads(ms: number): void {
    for (const table of this.tables.values()) table.lag(ms);
  }

  /** Every item of a table, for the state people look at. */
  items(name: string): Item[] {
    return this.table(name).all(true);
  }

  /** Request units that all tables have consumed so far; of a cancelled transaction only what failed its condition. */
  get consumed(): Consumed {
    const total: Consumed = { read: 0, write: 0 };
    for (const { consumed } of this.tables.values()) {
      total.read += consumed.read;
      total.write += consumed.write;
    }
    return total;
  }

  private create(logicalId: string, shape: TableShape) {
    const { random } = this;
    const { clock, region, account } = this.world;
    const name = shape.name ?? `${logicalId}-${random.hex(12).toUpperCase()}`;
    if (this.tables.has(name)) throw new AwsError('ResourceInUseException', `Table already exists: ${name}`);
    const arn = `arn:aws:dynamodb:${region}:${account}:table/${name}`;
    const id = random.uuid();
    const definition = { name, arn, id, ...shape.keys, createdAt: clock.now() };
    this.tables.set(name, new Table(definition, clock));
    return { ref: name, attributes: { Arn: arn, TableId: id } };
  }

  /** A table by name or ARN. */
  private table(reference: string): Table {
    const prefix = `arn:aws:dynamodb:${this.world.region}:${this.world.account}:table/`;
    const table = this.tables.get(reference.startsWith(prefix) ? reference.slice(prefix.length) : reference);
    if (!table) throw tableNotFound();
    return table;
  }

  private describe(name: string) {
    if (!this.tables.has(name)) throw tableNotFound(`Requested resource not found: Table: ${name} not found`);
    const table = this.table(name);
    const { arn, id, createdAt } = table.definition;
    return {
      TableName: name,
      TableArn: arn,
      TableId: id,
      TableStatus: 'ACTIVE',
      CreationDateTime: new Date(createdAt),
      AttributeDefinitions: table.keys.map((key) => ({ AttributeName: key.name, AttributeType: key.type })),
      KeySchema: table.keys.map((key, index) => ({ AttributeName: key.name, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      ItemCount: table.size,
    };
  }

  private apply(plan: Plan, returnValues: string | undefined): { Attributes?: Item } {
    commit(plan);
    const Attributes = returned(plan, returnValues);
    return Attributes ? { Attributes } : {};
  }

  private isRepeated(token: string, request: string): boolean {
    const known = this.tokens.get(token);
    if (!known || this.world.clock.now() - known.at > TOKEN_LIFETIME_MS) return false;
    if (known.request === request) return true;
    throw new AwsError(
      'IdempotentParameterMismatchException',
      'Request parameters do not match with previous request of the same client token',
    );
  }
}

/** PutItem and DeleteItem know the old item only. */
function requireOldOnly(returnValues: string | undefined): void {
  if (returnValues === undefined || returnValues === 'NONE' || returnValues === 'ALL_OLD') return;
  throw invalid('ReturnValues can only be ALL_OLD or NONE');
}

function returned({ before, after, touched }: Plan, returnValues: string | undefined): Item | undefined {
  const part = (item: Item | undefined, paths: DocumentPath[]) => {
    const projected = item && project(item, paths);
    return projected && Object.keys(projected).length > 0 ? projected : undefined;
  };
  switch (returnValues) {
    case 'ALL_OLD':
      return before;
    case 'ALL_NEW':
      return after;
    case 'UPDATED_OLD':
      return part(before, touched);
    case 'UPDATED_NEW':
      return part(after, touched);
    default:
      return undefined;
  }
}
