import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SCRIPT } from '../../functions/contracts';
import { NODE_COMMANDS } from '../../infra/lib/documents';
import { renderScript, USER_DATA_LIMIT } from '../../nodes/render';
import { cleanUp, type Json, ofType, only, ROOT, statementsByRole, synth, type Template, text } from './stack';

afterAll(cleanUp);

const { template } = synth();

interface LaunchTemplateData {
  readonly [key: string]: unknown;
  readonly UserData: { [key: string]: Json };
}
const launchTemplate = (of: Template) =>
  only(of, 'AWS::EC2::LaunchTemplate').Properties.LaunchTemplateData as unknown as LaunchTemplateData;

describe('the launch template', () => {
  it('takes the Amazon Linux 2023 image of the architecture, resolved when the stack is deployed', () => {
    expect(launchTemplate(template)).toMatchObject({ ImageId: { Ref: 'NodeImage' } });
    expect(template.Parameters.NodeImage).toMatchObject({
      Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
      Default: '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
    });
    expect(synth({ architecture: 'arm64' }).template.Parameters.NodeImage?.Default).toMatch(/-arm64$/);
  });

  it('demands IMDSv2, out of the reach of pods', () => {
    expect(launchTemplate(template).MetadataOptions).toEqual({
      HttpEndpoint: 'enabled',
      HttpTokens: 'required',
      HttpPutResponseHopLimit: 1,
    });
  });

  it('encrypts the root volume and deletes it with the server', () => {
    expect(launchTemplate(template).BlockDeviceMappings).toEqual([
      {
        DeviceName: '/dev/xvda',
        Ebs: { VolumeType: 'gp3', VolumeSize: 20, Encrypted: true, DeleteOnTermination: true },
      },
    ]);
  });

  it('monitors in detail, with the closed security group', () => {
    expect(launchTemplate(template)).toMatchObject({ Monitoring: { Enabled: true } });
    expect(launchTemplate(template).SecurityGroupIds).toHaveLength(1);
  });

  it('leaves subnet, interfaces, keys and tags to the launch request', () => {
    for (const key of ['NetworkInterfaces', 'KeyName', 'TagSpecifications']) {
      expect(launchTemplate(template)).not.toHaveProperty(key);
    }
  });
});

describe('user data', () => {
  const userData = (settings?: object) => text(launchTemplate(synth(settings).template).UserData);

  it('knows its cluster, where the token is and how the load balancer is called', () => {
    const rendered = userData();
    const secret = [...ofType(template, 'AWS::SecretsManager::Secret').keys()][0];
    expect(rendered).toContain("CLUSTER='demo'");
    expect(rendered).toContain("REGION='<AWS::Region>'");
    expect(rendered).toContain(`TOKEN_SECRET='<${secret}>'`);
    expect(rendered).toMatch(/TLS_SAN='<\w+\.DNSName>'/);
    expect(rendered).toContain("K3S_VERSION='v1.35.8+k3s1'");
    expect(rendered).toContain("K3S_SHA256=''");
  });

  it('takes the checksum that was pinned for its architecture', () => {
    const k3sSha256 = { x86_64: 'a'.repeat(64), arm64: 'b'.repeat(64) };
    expect(userData({ k3sSha256 })).toContain(`K3S_SHA256='${'a'.repeat(64)}'`);
    expect(userData({ k3sSha256, architecture: 'arm64' })).toContain(`K3S_SHA256='${'b'.repeat(64)}'`);
  });

  it('has no placeholder left and fits, whatever the tokens turn out to be', () => {
    const rendered = userData({ name: 'a23456789012345678901z', k3sSha256: { x86_64: 'a'.repeat(64) } });
    const longest = rendered.replace(/<[^<>\s]+>/g, 'x'.repeat(200));
    expect(rendered).not.toMatch(/@[A-Z0-9_]+@/);
    expect(Buffer.byteLength(longest)).toBeLessThanOrEqual(USER_DATA_LIMIT);
  });
});

describe('the node role', () => {
  const [id] = [...ofType(template, 'AWS::IAM::Role')].find(([, role]) =>
    JSON.stringify(role.Properties.AssumeRolePolicyDocument).includes('ec2.amazonaws.com'),
  )!;

  it('lets a server run its agent, read the join token and the manifests, pull the echo image, and nothing else', () => {
    const statements = statementsByRole(template).get(id)!;
    expect(statements.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [['ssm:UpdateInstanceInformation'], ['arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:instance/*']],
      [
        [
          'ssmmessages:CreateControlChannel',
          'ssmmessages:CreateDataChannel',
          'ssmmessages:OpenControlChannel',
          'ssmmessages:OpenDataChannel',
        ],
        ['*'],
      ],
      [['secretsmanager:GetSecretValue'], [`<${[...ofType(template, 'AWS::SecretsManager::Secret').keys()][0]}>`]],
      [
        ['s3:GetObject'],
        [expect.stringMatching(/^arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-.*\/[0-9a-f]{64}\.yaml$/)],
      ],
      [['ecr:GetAuthorizationToken'], ['*']],
      [['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'], [expect.stringMatching(/^<EchoImageRepository\w+\.Arn>$/)]],
    ]);
    expect(template.Resources[id]?.Properties).not.toHaveProperty('ManagedPolicyArns');
  });
});

describe.each(SCRIPT.options)('document %s', (script) => {
  const document = [...ofType(template, 'AWS::SSM::Document').values()].find(
    ({ Properties }) => Properties.Name === `k3s-demo-${script}`,
  )!;
  const content = document.Properties.Content as unknown as {
    schemaVersion: string;
    parameters: Record<string, { interpolationType: string; allowedPattern: string; default?: string }>;
    mainSteps: { name: string; action: string; inputs: { timeoutSeconds: string; runCommand: string[] } }[];
  };

  it('carries its script as it is in the repository', () => {
    expect(content.mainSteps.map(({ action, name }) => [action, name])).toEqual([['aws:runShellScript', script]]);
    expect(content.mainSteps[0]?.inputs.runCommand.join('\n')).toBe(renderScript(NODE_COMMANDS[script].stem));
  });

  it('is run by bash, with no text that SSM would replace', () => {
    expect(content.mainSteps[0]?.inputs.runCommand[0]).toBe('#!/bin/bash');
    expect(JSON.stringify(content.mainSteps)).not.toContain('{{');
  });

  it('passes parameters as environment variables, each with a pattern that anchors the whole value', () => {
    for (const [name, parameter] of Object.entries(content.parameters)) {
      expect(parameter.interpolationType).toBe('ENV_VAR');
      expect(parameter.allowedPattern).toMatch(/^\^.*\$$/);
      if (parameter.default !== undefined) expect(parameter.default).toMatch(new RegExp(parameter.allowedPattern));
      expect(renderScript(NODE_COMMANDS[script].stem)).toContain(`SSM_${name}`);
    }
  });

  it('becomes a new version when its script changes', () => {
    expect(document.Properties).toMatchObject({ UpdateMethod: 'NewVersion', DocumentType: 'Command' });
  });
});

describe('parameters refuse what is not of their kind', () => {
  const pattern = (script: keyof typeof NODE_COMMANDS, name: string) =>
    new RegExp(NODE_COMMANDS[script].parameters[name]?.allowedPattern ?? 'missing');

  it.each<[keyof typeof NODE_COMMANDS, string, string[]]>([
    ['StartServer', 'mode', ['init', 'join']],
    ['StartServer', 'peerAddress', ['', '10.20.0.7', '255.255.255.255', '127.77.1.2']],
    ['StartServer', 'caHash', ['', 'a1'.repeat(32)]],
    ['RemoveMember', 'nodeName', ['i-0123456789abcdef0']],
    ['RemoveMember', 'address', ['', '10.20.0.7']],
    ['ApplyManifests', 'manifestsUri', ['s3://cdk-hnb659fds-assets-123456789012-eu-west-3/0a1b.json']],
    ['ApplyManifests', 'manifestsSha256', ['a1'.repeat(32)]],
    ['ApplyManifests', 'echoRepository', ['', '123456789012.dkr.ecr.eu-west-3.amazonaws.com/k3s-demo-echo-1a/b']],
  ])('%s %s', (script, name, accepted) => {
    for (const value of accepted) expect(value).toMatch(pattern(script, name));
    for (const value of ['$(id)', '`id`', "'; id", '10.20.0.256', '-x', 'a b', 'init\nid', '{{x}}', 'é']) {
      expect(value).not.toMatch(pattern(script, name));
    }
  });
});

it('every script of a node has its document', () => {
  const scripts = readdirSync(join(ROOT, 'nodes')).filter((name) => name.endsWith('.sh') && name !== 'user-data.sh');
  expect(
    Object.values(NODE_COMMANDS)
      .map(({ stem }) => `${stem}.sh`)
      .sort(),
  ).toEqual(scripts.sort());
});
