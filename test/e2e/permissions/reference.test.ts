/** What calls are judged by is what AWS' service authorization reference says of them. */
import type { Need } from '../../../local/aws/iam';
import { review } from '../../../local/aws/iam/review';
import { actionsOf } from '../../../local/aws/iam/review/reference';
import { listServices } from '../../../local/services';
import { bootTest, closeAll, type TestCluster } from '../../support/embedded';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await bootTest();
});
afterAll(closeAll);

it('an operation that does not say what it needs has an action of its name, which takes no resource', async () => {
  const unsaid = listServices(cluster.aws.services).flatMap(({ name, actionPrefix = name, operations }) =>
    Object.entries(operations)
      .filter(([, { needs }]) => needs === undefined)
      .map(([operation]) => `${actionPrefix}:${operation}`),
  );
  expect(unsaid).toContain('ec2:DescribeInstances');
  for (const action of unsaid) expect(await actionsOf(action)).toMatchObject([{ name: action, types: [] }]);
});

it('every need of a life names an action, a resource and condition keys that belong together', async () => {
  const { authority } = cluster.aws.services.iam;
  const asked = jest.spyOn(authority, 'refusal');
  await cluster.create();
  await cluster.terminate(cluster.server(1).instanceId);
  await cluster.pass(400);
  await cluster.delete();
  const needs = new Map(asked.mock.calls.flatMap(([, stated]) => stated.map((need) => [keyOf(need), need])));
  expect(needs.size).toBeGreaterThan(50);
  for (const { action, resource, context = {} } of needs.values()) {
    const Condition = { StringEquals: Object.fromEntries(Object.keys(context).map((key) => [key, ['x']])) };
    const faults = await review({ Effect: 'Allow', Action: [action], Resource: [resource], Condition });
    // The keys are what matters, not how they would be compared.
    expect(faults.filter((fault) => !/does not fit|has several values/.test(fault))).toEqual([]);
  }
});

const keyOf = ({ action, resource, context = {} }: Need) => `${action} ${resource} ${Object.keys(context).join()}`;
