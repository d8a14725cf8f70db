import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../infra/config';
import { fixedCharges } from '../../tools/cost/fixed';
import { cleanUp, ofType, ROOT, synth, text } from '../infra/stack';
import { fenced, read, spans } from './markdown';

afterAll(cleanUp);

const readme = read('README.md');
const operations = read('docs/operations.md');
const { template } = synth();

/** The cells of the table that begins after a heading, without its two head rows. */
function table(heading: string): string[][] {
  const [, section = ''] = readme.split(new RegExp(`\\n##+ ${heading}\\n`));
  const rows = section.split(/\n##+ /)[0]?.match(/^\|.*\|$/gm) ?? [];
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.replaceAll('*', '').trim()),
  );
}

describe('the README’s settings', () => {
  const defaults = new Map(table('Settings').map(([name = '', value = '']) => [name, value]));

  it('are all there are', () => {
    expect([...defaults.keys()].map((name) => name.replaceAll('`', ''))).toEqual(known());
  });

  it('have the defaults that it names', () => {
    const config = parseConfig({});
    expect(defaults.get('`name`')).toBe(`\`${config.name}\``);
    expect(defaults.get('`k3sVersion`')).toBe(`\`${config.k3sVersion}\``);
    expect(defaults.get('`servers`')).toBe(String(config.servers));
    expect(defaults.get('`architecture`')).toBe(`\`${config.architecture}\``);
    expect(defaults.get('`volumeGib`')).toBe(String(config.volumeGib));
    const { mode, cidr } = config.network;
    expect(JSON.parse(defaults.get('`network`')?.replaceAll('`', '') ?? '')).toEqual({ mode, cidr });
    expect(JSON.parse(defaults.get('`demo`')?.replaceAll('`', '') ?? '')).toEqual(config.demo);
    for (const type of [...config.instanceTypes, ...parseConfig({ architecture: 'arm64' }).instanceTypes])
      expect(defaults.get('`instanceTypes`')).toContain(`\`${type}\``);
  });

  /** As the message about an unknown setting lists them. */
  function known(): string[] {
    try {
      parseConfig({ unknown: true });
    } catch (error) {
      const [, names = ''] = /known here: (.*)/.exec(String(error)) ?? [];
      return names.split(', ').filter((name) => name !== '$schema');
    }
    throw new Error('an unknown setting was taken');
  }
});

describe('the README’s fixed charges', () => {
  const variants = [{}, { network: { mode: 'private' } }, { network: { mode: 'private', nat: 'single' } }];
  const rows = table('What it costs');

  it.each(variants.map((settings, column) => [JSON.stringify(settings), settings, column + 1] as const))(
    'are those of the template with %s',
    (_name, settings, column) => {
      const charges = fixedCharges(JSON.parse(synth(settings).text), parseConfig(settings));
      const sum = charges.reduce((total, { usd = 0 }) => total + usd, 0);
      const listed = rows
        .filter(([what = '']) => !/^(together|an EKS)/.test(what))
        .map((row) => Number(row[column] || 0));
      expect(rows.find(([what]) => what === 'together')?.[column]).toBe(sum.toFixed(2));
      expect(listed.reduce((total, usd) => total + usd, 0)).toBeCloseTo(sum, 1);
    },
  );
});

describe('what the README and the operations guide name', () => {
  const named = [...spans(readme), ...spans(operations)];

  it('as outputs of the stack, the stack publishes', () => {
    const outputs = named.filter((span) => /^[A-Z][A-Za-z]+(Arn|Url|Name|Dns|Prefix|Endpoint)$/.test(span));
    expect(outputs.length).toBeGreaterThan(2);
    for (const output of outputs) expect(template.Outputs).toHaveProperty([output]);
  });

  it('as state machines and log groups of the example, the template has', () => {
    const machines = [...ofType(template, 'AWS::StepFunctions::StateMachine').values()].map(({ Properties }) =>
      text(Properties.StateMachineName),
    );
    const groups = [...ofType(template, 'AWS::Logs::LogGroup').values()].map(({ Properties }) =>
      text(Properties.LogGroupName),
    );
    for (const span of named.filter((span) => /^k3s-demo(-delete)?$/.test(span))) expect(machines).toContain(span);
    for (const span of named.filter((span) => /^\/aws\/[\w/-]+$/.test(span))) expect(groups).toContain(span);
  });

  it('as symptoms, says what to look at and what to do', () => {
    expect(table('Troubleshooting').filter((row) => row.length !== 3 || row.includes(''))).toEqual([]);
  });

  it('as errors of an execution, the workflow or a function throws', () => {
    const errors = table('Troubleshooting').flatMap(
      ([symptom = '']) => /fails with `([A-Z]\w+)`/.exec(symptom)?.[1] ?? [],
    );
    expect(errors.length).toBeGreaterThan(3);
    const sources = ['functions/cluster/errors.ts', 'functions/contracts.ts', 'statemachine/cluster.asl.json']
      .map((path) => readFileSync(join(ROOT, path), 'utf8'))
      .join();
    for (const error of errors) expect(sources).toMatch(new RegExp(`['"]${error}['"]`));
  });

  it('as settings, the configuration takes', () => {
    const examples = fenced(readme).filter(({ language }) => language === 'json');
    expect(examples.length).toBeGreaterThan(0);
    for (const { lines } of examples) expect(() => parseConfig(JSON.parse(lines.join('')))).not.toThrow();
  });
});
