import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, type Json, ofType, ROOT, statementsByRole, synth, text } from './stack';

afterAll(cleanUp);

const { template, outdir } = synth();

describe.each([
  ['k3s-demo', 'cluster.asl.json', 'StateMachineArn'],
  ['k3s-demo-delete', 'delete-cluster.asl.json', 'DeleteStateMachineArn'],
])('state machine %s', (name, file, output) => {
  const [id, machine] = [...ofType(template, 'AWS::StepFunctions::StateMachine')].find(
    ([, { Properties }]) => Properties.StateMachineName === name,
  )!;
  const substitutions = machine.Properties.DefinitionSubstitutions as Record<string, Json>;
  const role = /^<(\w+)\.Arn>$/.exec(text(machine.Properties.RoleArn))?.[1] ?? '';

  it('is the definition of the repository', () => {
    const source: unknown = JSON.parse(readFileSync(join(ROOT, 'statemachine', file), 'utf8'));
    expect(JSON.parse(text(machine.Properties.DefinitionString))).toEqual(source);
  });

  it('has a value for every placeholder, and none to spare', () => {
    const placeholders = text(machine.Properties.DefinitionString).matchAll(/\$\{([A-Za-z0-9]+)\}/g);
    expect(new Set(Object.keys(substitutions))).toEqual(new Set([...placeholders].map((match) => match[1])));
  });

  it('finds each function under its own name', () => {
    const arns = Object.entries(substitutions).filter(([key]) => key.endsWith('Arn'));
    expect(arns.length).toBeGreaterThan(0);
    for (const [key, value] of arns)
      expect(text(value)).toMatch(new RegExp(`^<Functions${key.slice(0, -3)}[0-9A-F]{8}\\.Arn>$`));
  });

  it('may invoke exactly the functions it names, and deliver its log', () => {
    const [invoke, log, ...others] = statementsByRole(template).get(role)!;
    const named = Object.entries(substitutions).filter(([key]) => key.endsWith('Arn'));
    expect(invoke?.Action).toEqual(['lambda:InvokeFunction']);
    expect(new Set(invoke?.Resource)).toEqual(new Set(named.map(([, value]) => text(value))));
    expect(log?.Action.every((action) => action.startsWith('logs:'))).toBe(true);
    expect(others).toEqual([]);
  });

  it('logs every event without its data, and does not trace', () => {
    expect(machine.Properties.LoggingConfiguration).toMatchObject({ Level: 'ALL', IncludeExecutionData: false });
    expect(machine.Properties.TracingConfiguration ?? { Enabled: false }).toMatchObject({ Enabled: false });
  });

  it('is trusted to act as itself only', () => {
    const trust = text(template.Resources[role]?.Properties.AssumeRolePolicyDocument);
    expect(trust).toContain(`:stateMachine:${name}"`);
  });

  it('is published', () => {
    expect(text(template.Outputs[output]?.Value)).toBe(`<${id}>`);
  });
});

it('the manifests are addressed by place and checksum', () => {
  const values = [...ofType(template, 'AWS::StepFunctions::StateMachine').values()]
    .filter(({ Properties }) => Properties.StateMachineName === 'k3s-demo')
    .map(({ Properties }) => Properties.DefinitionSubstitutions as Record<string, Json>)[0]!;
  const content = readFileSync(join(outdir, 'manifests.yaml'));
  expect(text(values.ManifestsUri)).toMatch(/^s3:\/\/cdk-hnb659fds-assets-.*\/[0-9a-f]{64}\.yaml$/);
  expect(text(values.ManifestsSha256)).toBe(createHash('sha256').update(content).digest('hex'));
});
