import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { parseConfig } from '../../infra/config';
import { ClusterStack } from '../../infra/lib/cluster-stack';
import { acknowledgements, review } from '../../infra/review';
import { bundles, cleanUp, ROOT, STEPS } from './stack';

const outdir = mkdtempSync(join(tmpdir(), 'k3s-ha-review-'));
afterAll(() => {
  cleanUp();
  rmSync(outdir, { recursive: true, force: true });
});

/** What cdk-nag finds: path within the stack and rule. */
function findings(settings: object, acknowledge: typeof review | undefined): string[] {
  const app = new App({ outdir, analyticsReporting: false, treeMetadata: false });
  const config = parseConfig(settings);
  const stack = new ClusterStack(app, { config, root: ROOT, bundles: bundles(STEPS) });
  acknowledge?.(app, stack, config);
  return new AwsSolutionsChecks(app)
    .validateScope(app)
    .violations.flatMap(({ ruleName, violatingResources = [] }) =>
      violatingResources.map(
        ({ constructPath = '' }) => `${constructPath.replace(/^[^/]+\//, '').replace(/\/Resource$/, '')} ${ruleName}`,
      ),
    );
}

const VARIANTS = {
  'public network': {},
  'private network': { name: 'prod', servers: 5, network: { mode: 'private' }, apiCidrs: ['203.0.113.0/24'] },
};

describe.each(Object.entries(VARIANTS))('cdk-nag’s AwsSolutions rules, with %s', (_variant, settings) => {
  it('find nothing but what is acknowledged', () => {
    expect(findings(settings, review)).toEqual([]);
  });

  it('still find each thing that is acknowledged', () => {
    const found = findings(settings, undefined);
    const idle = acknowledgements(parseConfig(settings)).filter(
      ({ at, rule }) => !found.some((finding) => finding.startsWith(at) && finding.endsWith(` ${rule}`)),
    );
    expect(idle).toEqual([]);
  });
});

it('a finding that nobody has acknowledged fails the synthesis', () => {
  // Without the comparison with CloudFormation's schemas, which is not the question.
  const app = new App({
    outdir,
    analyticsReporting: false,
    treeMetadata: false,
    builtinCloudFormationValidation: false,
  });
  const config = parseConfig({});
  const stack = new ClusterStack(app, { config, root: ROOT, bundles: bundles(STEPS) });
  review(app, stack, { ...config, name: 'other' });
  expect(() => app.synth()).toThrow(/Acknowledge with .*AwsSolutions-IAM5.*execution:k3s-demo:/);
});
