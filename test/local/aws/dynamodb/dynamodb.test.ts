import { DynamoDb } from '../../../../local/aws/dynamodb';
import { call, refusal } from '../../../support/call';
import { testWorld } from '../../../support/world';

const TABLE = {
  TableName: 'cluster',
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  BillingMode: 'PAY_PER_REQUEST',
};

async function start(properties: Record<string, unknown> = TABLE) {
  const world = testWorld();
  const service = new DynamoDb(world);
  const resource = await service.resources['AWS::DynamoDB::Table']!('Table', properties);
  const run = (name: string, input: Record<string, unknown>) =>
    call(world, service, name, { TableName: resource.ref, ...input });
  const read = async (id: string) => {
    const { Item } = (await run('GetItem', { Key: { id: { S: id } }, ConsistentRead: true })) as { Item?: unknown };
    return Item;
  };
  const update = (expression: string, rest: Record<string, unknown> = {}) =>
    run('UpdateItem', { Key: { id: { S: 'x' } }, UpdateExpression: expression, ...rest });
  return { world, service, resource, run, read, update };
}

describe('a table', () => {
  it('has the name, ARN and keys that its template gave it', async () => {
    const { run, resource } = await start();
    expect(resource.attributes.Arn).toBe('arn:aws:dynamodb:eu-west-3:123456789012:table/cluster');
    expect(await run('DescribeTable', {})).toMatchObject({
      Table: { TableStatus: 'ACTIVE', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], ItemCount: 0 },
    });
  });

  it('gets a name of its own when the template gives none', async () => {
    const { TableName: _, ...unnamed } = TABLE;
    const { resource } = await start(unnamed);
    expect(resource.ref).toMatch(/^Table-[0-9A-F]{12}$/);
  });

  it('refuses a property it does not model, by name', async () => {
    await expect(start({ ...TABLE, StreamSpecification: {} })).rejects.toThrow(/StreamSpecification/);
  });

  it('is not found under another name', async () => {
    const { run } = await start();
    expect(await refusal(run('GetItem', { TableName: 'other', Key: { id: { S: 'a' } } }))).toMatchObject({
      code: 'ResourceNotFoundException',
      message: 'Requested resource not found',
    });
  });
});

describe('items', () => {
  it('come back as they were put', async () => {
    const { run, read } = await start();
    const Item = {
      id: { S: 'lease' },
      count: { N: '1' },
      flags: { L: [{ BOOL: true }, { NULL: true }] },
      commands: { M: { 'a-b': { S: 'i-1' } } },
      tags: { SS: ['a', 'b'] },
      raw: { B: 'AQI=' },
    };
    await run('PutItem', { Item });
    expect(await read('lease')).toEqual(Item);
    expect(await read('nothing')).toBeUndefined();
  });

  it('need their key, of the right type and not empty', async () => {
    const { run } = await start();
    expect((await refusal(run('PutItem', { Item: { other: { S: 'a' } } }))).message).toBe(
      'One or more parameter values were invalid: Missing the key id in the item',
    );
    expect((await refusal(run('PutItem', { Item: { id: { N: '1' } } }))).message).toBe(
      'One or more parameter values were invalid: Type mismatch for key id expected: S actual: N',
    );
    expect((await refusal(run('GetItem', { Key: { name: { S: 'a' } } }))).message).toBe(
      'The provided key element does not match the schema',
    );
    expect((await refusal(run('PutItem', { Item: { id: { S: '' } } }))).message).toMatch(
      /empty string value. Key: id$/,
    );
  });

  it.each([
    [{}, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'],
    [{ S: 'a', N: '1' }, 'Supplied AttributeValue has more than one datatypes set'],
    [{ SS: [] }, 'One or more parameter values were invalid: An string set  may not be empty'],
    [{ SS: ['a', 'a'] }, 'One or more parameter values were invalid: Input collection [a, a] contains duplicates.'],
    [{ N: 'one' }, 'The parameter cannot be converted to a numeric value: one'],
  ])('refuse the value %j', async (value, message) => {
    const { run } = await start();
    const { code, message: actual } = await refusal(run('PutItem', { Item: { id: { S: 'a' }, value } }));
    expect(code).toBe('ValidationException');
    expect(actual).toContain(message);
  });

  it('are at most 400 KB', async () => {
    const { run, update } = await start();
    const big = 'x'.repeat(400 * 1024);
    expect((await refusal(run('PutItem', { Item: { id: { S: 'x' }, big: { S: big } } }))).message).toBe(
      'Item size has exceeded the maximum allowed size',
    );
    expect((await refusal(update('SET big = :v', { ExpressionAttributeValues: { ':v': { S: big } } }))).message).toBe(
      'Item size to update has exceeded the maximum allowed size',
    );
  });

  it('cannot be changed through what a read returned', async () => {
    const { run, read } = await start();
    await run('PutItem', { Item: { id: { S: 'x' }, n: { N: '1' } } });
    ((await read('x')) as { n: { N: string } }).n.N = '2';
    expect(await read('x')).toMatchObject({ n: { N: '1' } });
  });

  it('return what they replaced when asked', async () => {
    const { run } = await start();
    await run('PutItem', { Item: { id: { S: 'x' }, n: { N: '1' } } });
    expect(await run('PutItem', { Item: { id: { S: 'x' } }, ReturnValues: 'ALL_OLD' })).toEqual({
      Attributes: { id: { S: 'x' }, n: { N: '1' } },
    });
    expect(await run('DeleteItem', { Key: { id: { S: 'x' } }, ReturnValues: 'ALL_OLD' })).toEqual({
      Attributes: { id: { S: 'x' } },
    });
    expect(await run('DeleteItem', { Key: { id: { S: 'x' } }, ReturnValues: 'ALL_OLD' })).toEqual({});
    expect((await refusal(run('PutItem', { Item: { id: { S: 'x' } }, ReturnValues: 'ALL_NEW' }))).message).toBe(
      'ReturnValues can only be ALL_OLD or NONE',
    );
  });
});

describe('conditions', () => {
  const ITEM = {
    id: { S: 'x' },
    n: { N: '5' },
    s: { S: 'hello' },
    elements: { L: [{ S: 'a' }, { N: '2' }] },
    map: { M: { nested: { M: { leaf: { BOOL: true } } } } },
    set: { SS: ['a', 'b'] },
  };
  const VALUES: Record<string, unknown> = {
    ':n5': { N: '5.0' },
    ':n6': { N: '6' },
    ':he': { S: 'he' },
    ':a': { S: 'a' },
    ':true': { BOOL: true },
    ':M': { S: 'M' },
    ':two': { N: '2' },
  };

  async function check(condition: string) {
    const { run } = await start();
    await run('PutItem', { Item: ITEM });
    const used = Object.fromEntries(Object.entries(VALUES).filter(([key]) => new RegExp(`${key}\\b`).test(condition)));
    return run('DeleteItem', {
      Key: { id: { S: 'x' } },
      ConditionExpression: condition,
      ...(Object.keys(used).length > 0 ? { ExpressionAttributeValues: used } : {}),
      ...(condition.includes('#map') ? { ExpressionAttributeNames: { '#map': 'map' } } : {}),
    });
  }

  it.each([
    'n = :n5',
    'n <> :n6',
    'n < :n6 AND n <= :n5 AND n >= :n5 AND :n6 > n',
    'absent <> :n5',
    'NOT absent = :n5',
    'n BETWEEN :n5 AND :n6',
    'n IN (:a, :n5)',
    'attribute_exists(#map.nested.leaf) and attribute_not_exists(#map.absent)',
    'attribute_not_exists(s.nested)',
    '#map.nested.leaf = :true',
    'elements[0] = :a',
    'attribute_not_exists(elements[2])',
    'attribute_type(#map, :M)',
    'begins_with(s, :he)',
    'contains(s, :he) AND contains(elements, :a) AND contains(elements, :two)',
    'contains(set0, :a) OR size(elements) = :two',
    '(n = :n6 OR n = :n5) AND NOT (s = :he)',
    '((n = :n6) OR (n = :n5))',
    '(n) = (:n5)',
    'size(elements) BETWEEN :two AND :n5',
    'n = :n6 AND n = :n6 OR n = :n5',
  ])('%s holds', async (condition) => {
    await expect(check(condition)).resolves.toEqual({});
  });

  it.each(['n = :n6', 's < :n6', 'absent = :n5', 'attribute_exists(absent)', 's = :he', 'absent < :n5'])(
    '%s does not hold',
    async (condition) => {
      expect(await refusal(check(condition))).toMatchObject({
        code: 'ConditionalCheckFailedException',
        message: 'The conditional request failed',
      });
    },
  );

  it.each([
    ['', 'Invalid ConditionExpression: The expression can not be empty;'],
    ['n =', 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="'],
    ['n = = :n5', 'Invalid ConditionExpression: Syntax error; token: "=", near: "= = :n5"'],
    ['n ! :n5', 'Invalid ConditionExpression: Syntax error; token: "!", near: "n !"'],
    ['name = :a', 'Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: name'],
    [
      'elements[0].Status = :a',
      'Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: Status',
    ],
    ['((n = :n5))', 'Invalid ConditionExpression: The expression has redundant parentheses;'],
    ['exists(n)', 'Invalid ConditionExpression: Invalid function name; function: exists'],
    [
      'size(elements)',
      'Invalid ConditionExpression: The function is not allowed to be used this way in an expression; function: size',
    ],
    [
      'attribute_exists(n) = :true',
      'Invalid ConditionExpression: The function is not allowed to be used this way in an expression; function: attribute_exists',
    ],
    [
      'begins_with(s)',
      'Invalid ConditionExpression: Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1',
    ],
    [
      'begins_with(s, :n5)',
      'Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N',
    ],
    [
      'n = n',
      'Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [n]',
    ],
    [
      'n = :nowhere',
      'Invalid ConditionExpression: An expression attribute value used in expression is not defined; attribute value: :nowhere',
    ],
    [
      '#nowhere = :a',
      'Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #nowhere',
    ],
    [
      'n BETWEEN :n6 AND :n5',
      'Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:6}, upper bound operand: AttributeValue: {N:5}',
    ],
  ])('%s is refused', async (condition, message) => {
    expect(await refusal(check(condition))).toMatchObject({ code: 'ValidationException', message });
  });

  it('must use every name and value that was given', async () => {
    const { run } = await start();
    const request = { Key: { id: { S: 'x' } }, ConditionExpression: 'n = :n' };
    expect(
      (
        await refusal(
          run('DeleteItem', { ...request, ExpressionAttributeValues: { ':n': { N: '1' }, ':m': { N: '1' } } }),
        )
      ).message,
    ).toBe('Value provided in ExpressionAttributeValues unused in expressions: keys: {:m}');
    expect(
      (
        await refusal(
          run('DeleteItem', {
            ...request,
            ExpressionAttributeNames: { '#n': 'n' },
            ExpressionAttributeValues: { ':n': { N: '1' } },
          }),
        )
      ).message,
    ).toBe('Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}');
  });

  it('show the item they failed on when asked', async () => {
    const { run } = await start();
    await run('PutItem', { Item: { id: { S: 'x' }, n: { N: '1' } } });
    const { detail } = await refusal(
      run('PutItem', {
        Item: { id: { S: 'x' } },
        ConditionExpression: 'attribute_not_exists(id)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      }),
    );
    expect(detail).toEqual({ Item: { id: { S: 'x' }, n: { N: '1' } } });
  });
});

describe('updates', () => {
  it('create the item when there is none', async () => {
    const { run, read } = await start();
    await run('UpdateItem', { Key: { id: { S: 'x' } } });
    expect(await read('x')).toEqual({ id: { S: 'x' } });
  });

  it('set, remove, add and delete in one expression, reading the item as it was before', async () => {
    const { run, update } = await start();
    await run('PutItem', {
      Item: { id: { S: 'x' }, a: { N: '1' }, b: { N: '2' }, gone: { S: '' }, tags: { SS: ['p', 'q'] } },
    });
    const { Attributes } = (await update(
      'SET a = b + :one, b = a - :one, c = if_not_exists(c, :one), l = list_append(if_not_exists(l, :none), :some) ' +
        'REMOVE gone ADD turns :one DELETE tags :p',
      {
        ExpressionAttributeValues: {
          ':one': { N: '1' },
          ':none': { L: [] },
          ':some': { L: [{ S: 'e' }] },
          ':p': { SS: ['p'] },
        },
        ReturnValues: 'ALL_NEW',
      },
    )) as { Attributes: unknown };
    expect(Attributes).toEqual({
      id: { S: 'x' },
      a: { N: '3' },
      b: { N: '0' },
      c: { N: '1' },
      l: { L: [{ S: 'e' }] },
      turns: { N: '1' },
      tags: { SS: ['q'] },
    });
  });

  it('reach into maps and lists', async () => {
    const { run, read, update } = await start();
    await run('PutItem', {
      Item: { id: { S: 'x' }, instances: { M: {} }, l: { L: [{ N: '0' }, { N: '1' }, { N: '2' }] } },
    });
    await update('SET instances.#i = :g, l[9] = :g REMOVE l[0], l[1]', {
      ExpressionAttributeNames: { '#i': 'i-0a.b' },
      ExpressionAttributeValues: { ':g': { M: { generation: { N: '1' } } } },
    });
    expect(await read('x')).toMatchObject({
      instances: { M: { 'i-0a.b': { M: { generation: { N: '1' } } } } },
      l: { L: [{ N: '2' }, { M: { generation: { N: '1' } } }] },
    });
    await update('REMOVE instances.#i', { ExpressionAttributeNames: { '#i': 'i-0a.b' } });
    expect(await read('x')).toMatchObject({ instances: { M: {} } });
  });

  it('have no empty sets', async () => {
    const { run, read, update } = await start();
    await run('PutItem', { Item: { id: { S: 'x' }, tags: { SS: ['p'] } } });
    await update('DELETE tags :p', { ExpressionAttributeValues: { ':p': { SS: ['p'] } } });
    expect(await read('x')).toEqual({ id: { S: 'x' } });
  });

  it('return the touched parts before and after', async () => {
    const { run, update } = await start();
    await run('PutItem', { Item: { id: { S: 'x' }, m: { M: { a: { N: '1' }, b: { N: '2' } } } } });
    const rest = { ExpressionAttributeValues: { ':v': { N: '9' } } };
    expect(await update('SET m.a = :v', { ...rest, ReturnValues: 'UPDATED_OLD' })).toEqual({
      Attributes: { m: { M: { a: { N: '1' } } } },
    });
    expect(await update('SET m.a = :v', { ...rest, ReturnValues: 'UPDATED_NEW' })).toEqual({
      Attributes: { m: { M: { a: { N: '9' } } } },
    });
  });

  it.each([
    [
      'SET id = :v',
      'One or more parameter values were invalid: Cannot update attribute id. This attribute is part of the key',
    ],
    [
      'SET a = :v, a.b = :v',
      'Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]',
    ],
    [
      'SET a.b = :v, a[0] = :v',
      'Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]',
    ],
    [
      'SET a = :v SET b = :v',
      'Invalid UpdateExpression: The "SET" section can only be used once in an update expression;',
    ],
    ['SET a.b = :v', 'The document path provided in the update expression is invalid for update'],
    ['SET a = b + :v', 'The provided expression refers to an attribute that does not exist in the item'],
    ['SET n = s + :v', 'An operand in the update expression has an incorrect data type'],
    [
      'DELETE a :v',
      'Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER',
    ],
    ['SET a = append(b, :v)', 'Invalid UpdateExpression: Invalid function name; function: append'],
    ['SET state = :v', 'Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: state'],
    ['SET a :v', 'Invalid UpdateExpression: Syntax error; token: ":v", near: "a :v"'],
  ])('%s is refused and changes nothing', async (expression, message) => {
    const { run, read, update } = await start();
    await run('PutItem', { Item: { id: { S: 'x' }, s: { S: 'text' } } });
    expect(await refusal(update(expression, { ExpressionAttributeValues: { ':v': { N: '1' } } }))).toMatchObject({
      code: 'ValidationException',
      message,
    });
    expect(await read('x')).toEqual({ id: { S: 'x' }, s: { S: 'text' } });
  });
});

describe('transactions', () => {
  const put = (id: string, extra: Record<string, unknown> = {}) => ({
    Put: { TableName: 'cluster', Item: { id: { S: id } }, ...extra },
  });
  const transact = (service: DynamoDb, world: ReturnType<typeof testWorld>, input: Record<string, unknown>) =>
    call(world, service, 'TransactWriteItems', input);

  it('write everything', async () => {
    const { world, service, run, read } = await start();
    await run('PutItem', { Item: { id: { S: 'old' } } });
    await transact(service, world, {
      TransactItems: [
        put('a'),
        {
          Update: {
            TableName: 'cluster',
            Key: { id: { S: 'b' } },
            UpdateExpression: 'ADD n :one',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          },
        },
        { Delete: { TableName: 'cluster', Key: { id: { S: 'old' } }, ConditionExpression: 'attribute_exists(id)' } },
        {
          ConditionCheck: {
            TableName: 'cluster',
            Key: { id: { S: 'none' } },
            ConditionExpression: 'attribute_not_exists(id)',
          },
        },
      ],
    });
    expect([await read('a'), await read('b'), await read('old')]).toEqual([
      { id: { S: 'a' } },
      { id: { S: 'b' }, n: { N: '1' } },
      undefined,
    ]);
  });

  it('write nothing when one condition fails, and give a reason per item', async () => {
    const { world, service, run, read } = await start();
    await run('PutItem', { Item: { id: { S: 'b' } } });
    const { code, message, detail } = await refusal(
      transact(service, world, {
        TransactItems: [
          put('a'),
          put('b', {
            ConditionExpression: 'attribute_not_exists(id)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        ],
      }),
    );
    expect({ code, message }).toEqual({
      code: 'TransactionCanceledException',
      message:
        'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]',
    });
    expect(detail).toEqual({
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed', Item: { id: { S: 'b' } } },
      ],
    });
    expect(await read('a')).toBeUndefined();
  });

  it('name one item once', async () => {
    const { world, service } = await start();
    expect((await refusal(transact(service, world, { TransactItems: [put('a'), put('a')] }))).message).toBe(
      'Transaction request cannot include multiple operations on one item',
    );
  });

  it('happen once per client token', async () => {
    const { world, service, read } = await start();
    const add = {
      TransactItems: [
        {
          Update: {
            TableName: 'cluster',
            Key: { id: { S: 'n' } },
            UpdateExpression: 'ADD n :one',
            ExpressionAttributeValues: { ':one': { N: '1' } },
          },
        },
      ],
      ClientRequestToken: 'token',
    };
    await transact(service, world, add);
    await transact(service, world, add);
    expect(await read('n')).toMatchObject({ n: { N: '1' } });
    expect((await refusal(transact(service, world, { ...add, TransactItems: [put('a')] }))).code).toBe(
      'IdempotentParameterMismatchException',
    );
  });

  it('read several items at once', async () => {
    const { world, service, run } = await start();
    await run('PutItem', { Item: { id: { S: 'a' } } });
    const get = (id: string) => ({ Get: { TableName: 'cluster', Key: { id: { S: id } } } });
    expect(await call(world, service, 'TransactGetItems', { TransactItems: [get('a'), get('b')] })).toEqual({
      Responses: [{ Item: { id: { S: 'a' } } }, {}],
    });
  });
});

describe('reads of many items', () => {
  async function filled() {
    const started = await start({
      ...TABLE,
      AttributeDefinitions: [...TABLE.AttributeDefinitions, { AttributeName: 'sort', AttributeType: 'N' }],
      KeySchema: [...TABLE.KeySchema, { AttributeName: 'sort', KeyType: 'RANGE' }],
    });
    for (const [id, sort] of [
      ['a', 10],
      ['a', 9],
      ['b', 1],
      ['a', 1],
    ]) {
      await started.run('PutItem', {
        Item: { id: { S: id }, sort: { N: String(sort) }, twice: { N: String(Number(sort) * 2) } },
      });
    }
    return started;
  }
  const values = { ExpressionAttributeValues: { ':a': { S: 'a' }, ':nine': { N: '9' } } };

  it('query one partition in sort order', async () => {
    const { run } = await filled();
    const ask = {
      KeyConditionExpression: 'id = :a',
      ExpressionAttributeValues: { ':a': { S: 'a' } },
      ProjectionExpression: 'sort',
    };
    expect(await run('Query', ask)).toEqual({
      Items: [{ sort: { N: '1' } }, { sort: { N: '9' } }, { sort: { N: '10' } }],
      Count: 3,
      ScannedCount: 3,
    });
    expect(await run('Query', { ...ask, ScanIndexForward: false, Limit: 1 })).toMatchObject({
      Items: [{ sort: { N: '10' } }],
    });
    expect(
      await run('Query', { ...values, KeyConditionExpression: 'id = :a AND sort >= :nine', Select: 'COUNT' }),
    ).toEqual({
      Count: 2,
      ScannedCount: 2,
    });
  });

  it('refuse a query without its partition key', async () => {
    const { run } = await filled();
    const ask = { ExpressionAttributeValues: { ':nine': { N: '9' } } };
    expect((await refusal(run('Query', { ...ask, KeyConditionExpression: 'sort = :nine' }))).message).toBe(
      'Query condition missed key schema element: id',
    );
    expect((await refusal(run('Query', { ...ask, KeyConditionExpression: 'id > :nine' }))).message).toBe(
      'Query key condition not supported',
    );
  });

  it('scan page by page, filtering after the limit', async () => {
    const { run } = await filled();
    const ask = { FilterExpression: 'twice > :two', ExpressionAttributeValues: { ':two': { N: '2' } }, Limit: 3 };
    const first = (await run('Scan', ask)) as { Items: unknown[]; LastEvaluatedKey: unknown };
    expect(first).toMatchObject({ Count: 2, ScannedCount: 3, LastEvaluatedKey: { id: { S: 'a' } } });
    const second = await run('Scan', { ...ask, ExclusiveStartKey: first.LastEvaluatedKey });
    expect(second).toEqual({ Items: [], Count: 0, ScannedCount: 1 });
  });

  it('lag behind under a fault, unless they are consistent', async () => {
    const { world, service, run } = await start();
    const get = (ConsistentRead: boolean) => run('GetItem', { Key: { id: { S: 'x' } }, ConsistentRead });
    service.lagReads(1000);
    await run('PutItem', { Item: { id: { S: 'x' } } });
    expect(await get(false)).toEqual({});
    expect(await get(true)).toEqual({ Item: { id: { S: 'x' } } });
    expect(await run('Scan', {})).toMatchObject({ Count: 0 });
    await world.clock.advance(1000);
    expect(await get(false)).toEqual({ Item: { id: { S: 'x' } } });
  });
});

describe('the capacity that is billed', () => {
  const big = { S: 'x'.repeat(5000) };

  it('counts reads by 4 KB, half unless they are strongly consistent, and at least one unit', async () => {
    const { service, run, update } = await start();
    await update('SET v = :v', { ExpressionAttributeValues: { ':v': big } });
    const read = async (name: string, input: object) => {
      const { read: before } = service.consumed;
      await run(name, { ...input });
      return service.consumed.read - before;
    };
    expect(await read('GetItem', { Key: { id: { S: 'none' } }, ConsistentRead: true })).toBe(1);
    expect(await read('GetItem', { Key: { id: { S: 'x' } }, ConsistentRead: true })).toBe(2);
    expect(await read('GetItem', { Key: { id: { S: 'x' } } })).toBe(1);
    expect(await read('Scan', { ConsistentRead: true })).toBe(2);
  });

  it('counts writes by the larger of before and after, and those whose condition fails', async () => {
    const { service, update } = await start();
    const write = async (value: object, rest: object = {}) => {
      const { write: before } = service.consumed;
      await update('SET v = :v', { ExpressionAttributeValues: { ':v': value }, ...rest }).catch(() => {});
      return service.consumed.write - before;
    };
    expect(await write({ S: 'small' })).toBe(1);
    expect(await write(big)).toBe(5);
    expect(await write({ S: 'small' }, { ConditionExpression: 'attribute_not_exists(id)' })).toBe(5);
    expect(await write({ S: 'small' })).toBe(5);
    expect(await write({ S: 'small' })).toBe(1);
  });
});
