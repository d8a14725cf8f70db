import type { InvokeAnswer, InvokeRequest, LambdaInvoker } from '../../../local/aws/lambda/invoker';
import type { Provisioned, Service } from '../../../local/aws/service';
import { CustomResourceResponses, deploy } from '../../../local/stack';
import { TEMPLATE } from '../../../local/stack/template';
import { testWorld } from '../../support/world';

export interface Created {
  logicalId: string;
  type: string;
  properties: Record<string, unknown>;
}

/** A service that creates anything of the given types and remembers it. */
export function recorder(
  types: Record<string, (logicalId: string, properties: Record<string, unknown>) => Provisioned>,
): { service: Service; created: Created[] } {
  const created: Created[] = [];
  const resources = Object.fromEntries(
    Object.entries(types).map(([type, create]) => [
      type,
      (logicalId: string, properties: Record<string, unknown>) => {
        created.push({ logicalId, type, properties });
        return create(logicalId, properties);
      },
    ]),
  );
  return { service: { name: 'test', protocol: 'query', version: '1', operations: {}, resources }, created };
}

export const NO_LAMBDA: LambdaInvoker = {
  invoke: async () => {
    throw new Error('no function is expected to run');
  },
};

/** Deploys a template of `Test::Thing` resources (ref `<id>-ref`, attributes `Arn` and `Nested.Name`). */
export async function deployThings(
  template: Record<string, unknown>,
  {
    parameters = {},
    tags = {},
    invoke,
  }: {
    parameters?: Record<string, string>;
    tags?: Record<string, string>;
    invoke?: (request: InvokeRequest, responses: CustomResourceResponses) => Promise<InvokeAnswer>;
  } = {},
) {
  const world = testWorld();
  const thing = (logicalId: string) => ({
    ref: `${logicalId}-ref`,
    attributes: { Arn: `arn:aws:lambda:eu-west-3:123456789012:function:${logicalId}`, 'Nested.Name': 'nested' },
  });
  const { service, created } = recorder({ 'Test::Thing': thing, 'AWS::S3::Bucket': thing });
  const responses = new CustomResourceResponses();
  const deployment = deploy({ stackName: 'k3s-demo', template: TEMPLATE.parse(template), tags }, [service], {
    world,
    responses,
    lambda: invoke ? { invoke: (request) => invoke(request, responses) } : NO_LAMBDA,
    endpointUrl: 'http://127.0.0.1:4566',
    parameters,
  });
  const stack = await world.clock.until(deployment);
  return { world, stack, created, responses };
}
