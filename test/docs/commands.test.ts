/** What the texts tell people to type exists: npm scripts and their flags, operations of the AWS CLI and their parameters. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { TableNetwork } from '../../local/network-table';
import { createServices } from '../../local/services';
import { readAssembly } from '../../local/stack';
import { cleanUp, synth } from '../infra/stack';
import { IdleHost } from '../support/machines';
import { testWorld } from '../support/world';
import { commands, fenced, ROOT, read, TEXTS } from './markdown';

afterAll(cleanUp);

const TYPED = TEXTS.flatMap((text) => commands(read(text)).map((command): [string, string] => [text, command]));

const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
/** Of npm itself. */
const NPM = ['ci', 'test', 'install'];

describe('npm', () => {
  const runs = TYPED.flatMap(([text, command]) =>
    [...command.matchAll(/\bnpm (?:run (?:-s )?)?([a-z][\w:-]*)((?: -- [^`|;&)]*)?)/g)].map(
      ([all, script = '', flags = '']): [string, string, string, string] => [text, all, script, flags],
    ),
  );

  it.each(runs)('%s: %s is a script with these flags', (_text, _all, script, flags) => {
    expect([...Object.keys(scripts), ...NPM]).toContain(script);
    const given = [...flags.matchAll(/ --([a-z][a-z-]*)/g)].map(([, flag = '']) => flag);
    if (given.length > 0) expect(flagsOf(script)).toEqual(expect.arrayContaining(given));
  });

  /** As the tool declares them. */
  function flagsOf(script: string): string[] {
    const tool = /tools\/([a-z-]+)\.ts/.exec(scripts[script] ?? '')?.[1];
    const files = [`tools/${tool}.ts`, `tools/${tool}/flags.ts`].filter((path) => existsSync(join(ROOT, path)));
    const source =
      files.map(read).join('\n') +
      (files.some((path) => read(path).includes('TARGET_FLAGS')) ? read('tools/target.ts') : '');
    return [
      'help',
      ...[...source.matchAll(/^ {2,4}(\w+): (?:switched|number|text|matching|port|oneOf)\b/gm)].map(([, name = '']) =>
        name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      ),
    ];
  }
});

/** Commands of the AWS CLI that the embedded AWS has not: it models what the project calls. */
const AWS_ONLY: Readonly<Record<string, string>> = {
  'ssm start-session': 'the data channel of a session is not modelled',
  'ec2 get-console-output': 'consoles are not modelled',
  'ecr get-login-password': 'the container runtime of the model pulls without a login',
  'ec2 create-flow-logs': 'flow logs are not modelled',
};
/** Where the CLI calls a service otherwise than its signature does. */
const SERVICE: Readonly<Record<string, string>> = { stepfunctions: 'states', elbv2: 'elasticloadbalancing' };
const GLOBAL = ['query', 'output', 'region', 'profile', 'endpoint-url', 'no-cli-pager'];

describe('the AWS CLI', () => {
  const world = testWorld();
  const services = Object.values(
    createServices({
      world,
      network: new TableNetwork(world.clock),
      host: new IdleHost(),
      assembly: readAssembly(synth().outdir, world),
      endpoint: () => Promise.reject(new Error('nothing is called')),
      endpointUrl: () => '',
    }),
  );
  const calls = TYPED.flatMap(([text, command]) =>
    [...command.matchAll(/\baws ([a-z0-9]+) ([a-z-]+)((?: [^`|;)]*)?)/g)].map(
      ([, service = '', operation = '', rest = '']): [string, string, string, string] => [
        text,
        service,
        operation,
        rest,
      ],
    ),
  ).filter(([, service]) => service !== 's3');

  it('is used', () => {
    expect(calls.length).toBeGreaterThan(5);
  });

  it.each(calls)('%s: aws %s %s is known to the embedded AWS', (_text, service, operation, rest) => {
    if (`${service} ${operation}` in AWS_ONLY) return;
    const found = services.find(({ name }) => name === (SERVICE[service] ?? service));
    const name = operation.replace(/(?:^|-)([a-z])/g, (_all, letter: string) => letter.toUpperCase());
    const known = Object.entries(found?.operations ?? {}).find(([key]) => key.toLowerCase() === name.toLowerCase());
    expect(known?.[0]).toBeDefined();
    const input = known?.[1].input;
    const parameters = input instanceof z.ZodObject ? Object.keys(input.shape).map(plain) : [];
    const given = [...rest.matchAll(/ --([a-z][a-z-]*)/g)].map(([, flag = '']) => flag);
    for (const flag of given.filter((flag) => !GLOBAL.includes(flag))) expect(parameters).toContain(plain(flag));
  });
});

/** `--instance-ids`, `InstanceId` (as EC2's query API has it) and `instanceIds` are one. */
const plain = (name: string) => name.replaceAll('-', '').toLowerCase().replace(/s$/, '');

it('every list of shell commands is checked', () => {
  expect(TEXTS.flatMap((text) => fenced(read(text))).length).toBeGreaterThan(8);
});
