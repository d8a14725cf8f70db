// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are placeholders of CloudFormation.
import { deployThings } from './support';

/** The properties that one resource gets. */
async function propertiesOf(properties: Record<string, unknown>, rest: Record<string, unknown> = {}, options = {}) {
  const Other = { Type: 'Test::Thing' };
  const { created } = await deployThings(
    { ...rest, Resources: { Thing: { Type: 'Test::Thing', Properties: properties }, Other } },
    options,
  );
  return created.find(({ logicalId }) => logicalId === 'Thing')!.properties;
}
const evaluated = async (value: unknown, rest = {}, options = {}) =>
  (await propertiesOf({ value }, rest, options)).value;

describe('a template value', () => {
  it.each<[string, unknown, unknown]>([
    ['Ref to a resource', { Ref: 'Other' }, 'Other-ref'],
    ['Fn::GetAtt', { 'Fn::GetAtt': ['Other', 'Arn'] }, 'arn:aws:lambda:eu-west-3:123456789012:function:Other'],
    ['Fn::GetAtt as text', { 'Fn::GetAtt': 'Other.Nested.Name' }, 'nested'],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Region' }, 1]] }, 'a-eu-west-3-1'],
    [
      'Fn::Sub',
      { 'Fn::Sub': 'x-${Other}-${Other.Arn}-${AWS::AccountId}-${!Literal}' },
      'x-Other-ref-arn:aws:lambda:eu-west-3:123456789012:function:Other-123456789012-${Literal}',
    ],
    ['Fn::Sub with variables', { 'Fn::Sub': ['${a}/${ b }', { a: { Ref: 'Other' }, b: 'c' }] }, 'Other-ref/c'],
    ['Fn::Select', { 'Fn::Select': ['1', ['a', 'b']] }, 'b'],
    ['Fn::Split', { 'Fn::Split': ['|', 'a|b'] }, ['a', 'b']],
    ['Fn::GetAZs', { 'Fn::Select': [2, { 'Fn::GetAZs': '' }] }, 'eu-west-3c'],
    ['Fn::Base64', { 'Fn::Base64': { 'Fn::Sub': '#!/bin/bash' } }, 'IyEvYmluL2Jhc2g='],
    ['Fn::Cidr', { 'Fn::Cidr': ['10.0.0.0/16', 3, '8'] }, ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24']],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'Large'] }, 'm7g.large'],
    ['Fn::If', { 'Fn::If': ['IsTest', 'yes', { Ref: 'Nobody' }] }, 'yes'],
    [
      'pseudo parameters',
      { 'Fn::Sub': '${AWS::Partition} ${AWS::URLSuffix} ${AWS::StackName}' },
      'aws amazonaws.com k3s-demo',
    ],
    ['a plain object with other keys', { Ref: 'Other', more: 1 }, { Ref: 'Other', more: 1 }],
    [
      'an IAM condition, which is none',
      { Condition: { StringEquals: { a: 'b' } } },
      { Condition: { StringEquals: { a: 'b' } } },
    ],
  ])('%s', async (_what, value, expected) => {
    const rest = {
      Mappings: { Sizes: { 'eu-west-3': { Large: 'm7g.large' } } },
      Conditions: { IsTest: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-west-3'] } },
    };
    expect(await evaluated(value, rest)).toEqual(expected);
  });

  it('disappears when it is AWS::NoValue', async () => {
    const none = { Ref: 'AWS::NoValue' };
    const properties = await propertiesOf(
      { none, list: ['a', none], if: { 'Fn::If': ['No', 'x', none] } },
      {
        Conditions: { No: { 'Fn::Equals': ['a', 'b'] } },
      },
    );
    expect(properties).toEqual({ list: ['a'] });
  });

  it.each<[string, unknown, string]>([
    ['another resource that does not exist', { Ref: 'Nobody' }, 'Nobody does not exist'],
    [
      'an attribute that does not exist',
      { 'Fn::GetAtt': ['Other', 'Colour'] },
      'Other (Test::Thing) has no attribute Colour',
    ],
    ['another stack', { 'Fn::ImportValue': 'x' }, 'Fn::ImportValue is not modelled'],
    ['a transform', { 'Fn::Transform': {} }, 'Fn::Transform is not modelled'],
    ['a dynamic reference', '{{resolve:ssm:/a}}', 'the dynamic reference {{resolve:ssm:/a}} is not modelled'],
    ['an element beyond the end', { 'Fn::Select': [3, ['a']] }, 'cannot select element 3 of 1'],
    ['a list where text belongs', { 'Fn::Join': ['', [['a']]] }, 'a string was expected, not ["a"]'],
    ['zones of another region', { 'Fn::GetAZs': 'us-east-1' }, 'the zones of us-east-1 are not known'],
  ])('is refused with its place when it names %s', async (_what, value, message) => {
    await expect(propertiesOf({ a: [{ b: value }] })).rejects.toThrow(`Thing (Test::Thing) a.0.b: ${message}`);
  });
});

describe('conditions', () => {
  const Conditions = {
    IsProduction: { 'Fn::Equals': [{ Ref: 'Stage' }, 'production'] },
    IsTest: { 'Fn::Not': [{ Condition: 'IsProduction' }] },
    Both: { 'Fn::And': [{ Condition: 'IsTest' }, { Condition: 'IsProduction' }] },
    Either: { 'Fn::Or': [{ Condition: 'IsTest' }, { Condition: 'IsProduction' }] },
  };
  const template = {
    Parameters: { Stage: { Type: 'String', Default: 'test', AllowedValues: ['test', 'production'] } },
    Conditions,
    Resources: Object.fromEntries(
      Object.keys(Conditions).map((Condition) => [Condition, { Type: 'Test::Thing', Condition }]),
    ),
    Outputs: { Thing: { Value: { Ref: 'IsProduction' }, Condition: 'IsProduction' } },
  };

  it('decide which resources and outputs there are', async () => {
    const { stack } = await deployThings(template);
    expect([...stack.resources.keys()]).toEqual(['IsTest', 'Either']);
    expect(stack.outputs).toEqual({});
    const { stack: production } = await deployThings(template, { parameters: { Stage: 'production' } });
    expect([...production.resources.keys()]).toEqual(['IsProduction', 'Either']);
    expect(production.outputs).toEqual({ Thing: 'IsProduction-ref' });
  });

  it('refuse a reference to what they left out', async () => {
    const Resources = { ...template.Resources, User: { Type: 'Test::Thing', Properties: { a: { Ref: 'Both' } } } };
    await expect(deployThings({ ...template, Resources })).rejects.toThrow(
      'User (Test::Thing) a: Both is not created, its condition does not hold',
    );
  });
});

describe('parameters', () => {
  const image = (architecture: string) => ({
    Image: {
      Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
      Default: `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`,
    },
  });

  it('resolve the public parameters of machine images', async () => {
    const [x86, arm] = await Promise.all(
      ['x86_64', 'arm64'].map((architecture) => evaluated({ Ref: 'Image' }, { Parameters: image(architecture) })),
    );
    expect(x86).toMatch(/^ami-[0-9a-f]{17}$/);
    expect(arm).toMatch(/^ami-[0-9a-f]{17}$/);
    expect(arm).not.toBe(x86);
  });

  it('may be lists', async () => {
    const Parameters = { Zones: { Type: 'CommaDelimitedList', Default: 'a, b' } };
    expect(await evaluated({ Ref: 'Zones' }, { Parameters })).toEqual(['a', 'b']);
  });

  it.each([
    [{ P: { Type: 'String' } }, {}, 'P (String): the parameter must have a value'],
    [{ P: { Type: 'String', AllowedPattern: '[a-z]+' } }, { P: 'A' }, 'P (String): the value A does not match [a-z]+'],
    [{ P: { Type: 'Number', Default: 'x' } }, {}, 'P (Number): the value x is not a number'],
    [
      { P: { Type: 'AWS::EC2::VPC::Id', Default: 'x' } },
      {},
      'P (AWS::EC2::VPC::Id): this parameter type is not modelled',
    ],
    [{}, { Q: 'x' }, 'Parameters: [Q] do not exist in the template'],
    [
      image('riscv'),
      {},
      'Image (AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>): the SSM parameter /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-riscv does not exist',
    ],
  ])('%j with %j are refused', async (Parameters, parameters, message) => {
    await expect(deployThings({ Parameters, Resources: {} }, { parameters })).rejects.toThrow(message);
  });
});

describe('resources', () => {
  it('are created after what they need, otherwise in the order of the template', async () => {
    const thing = (Properties = {}, DependsOn: string[] | string = []) => ({
      Type: 'Test::Thing',
      Properties,
      DependsOn,
    });
    const { created } = await deployThings({
      Resources: {
        A: thing({ a: { 'Fn::Sub': ['${D.Arn} ${own}', { own: { Ref: 'C' } }] } }),
        B: thing({}, 'E'),
        C: thing({ a: [{ b: { 'Fn::GetAtt': ['E', 'Arn'] } }] }),
        D: thing({}, ['C']),
        E: thing(),
        Metadata: { Type: 'AWS::CDK::Metadata' },
      },
    });
    expect(created.map(({ logicalId }) => logicalId)).toEqual(['E', 'C', 'D', 'A', 'B']);
  });

  it('must not need each other', async () => {
    const Resources = {
      A: { Type: 'Test::Thing', Properties: { b: { Ref: 'B' } } },
      B: { Type: 'Test::Thing', DependsOn: 'C' },
      C: { Type: 'Test::Thing', Properties: { a: { 'Fn::Sub': '${A}' } } },
    };
    await expect(deployThings({ Resources })).rejects.toThrow('circular dependency between resources: A → B → C → A');
  });

  it('must be of a known type and depend on existing ones', async () => {
    await expect(deployThings({ Resources: { A: { Type: 'AWS::Moon::Base' } } })).rejects.toThrow(
      'A (AWS::Moon::Base): this resource type is not modelled',
    );
    await expect(deployThings({ Resources: { A: { Type: 'Test::Thing', DependsOn: 'B' } } })).rejects.toThrow(
      'A (Test::Thing) DependsOn: depends on B, which does not exist',
    );
  });

  it('take the tags of the stack under their own, where they take tags', async () => {
    const own = { Key: 'Name', Value: 'own' };
    const { created } = await deployThings(
      { Resources: { A: { Type: 'AWS::S3::Bucket', Properties: { Tags: [own] } }, B: { Type: 'Test::Thing' } } },
      { tags: { 'k3s:cluster': 'demo', Name: 'stack' } },
    );
    expect(created.map(({ properties }) => properties)).toEqual([
      { Tags: [own, { Key: 'k3s:cluster', Value: 'demo' }] },
      {},
    ]);
  });
});

describe('a stack', () => {
  it('has outputs and answers questions about itself', async () => {
    const { stack } = await deployThings({
      Resources: { Thing: { Type: 'Test::Thing' } },
      Outputs: { Url: { Value: { 'Fn::Join': ['', ['http://', { Ref: 'Thing' }]] }, Description: 'where' } },
    });
    expect(stack.outputs).toEqual({ Url: 'http://Thing-ref' });
    expect(stack.resolve({ 'Fn::GetAtt': ['Thing', 'Nested.Name'] })).toBe('nested');
    expect(stack.id).toMatch(/^arn:aws:cloudformation:eu-west-3:123456789012:stack\/k3s-demo\/[0-9a-f-]{36}$/);
  });

  it('is refused when a rule does not hold', async () => {
    const rule = (refused: string[]) => ({
      Parameters: {
        BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/hnb659fds/version' },
      },
      Rules: {
        CheckBootstrapVersion: {
          Assertions: [
            {
              Assert: { 'Fn::Not': [{ 'Fn::Contains': [refused, { Ref: 'BootstrapVersion' }] }] },
              AssertDescription: 'too old',
            },
          ],
        },
      },
      Resources: {},
    });
    await expect(deployThings(rule(['1', '2', '3', '4', '5']))).resolves.toBeDefined();
    await expect(deployThings(rule(['30']))).rejects.toThrow('CheckBootstrapVersion (Rule): too old');
  });
});
