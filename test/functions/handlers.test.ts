import { join } from 'node:path';
import { z } from 'zod';
import type { Platform } from '../../functions/runtime/platform';
import type { Invoke } from '../../functions/runtime/serve';
import { steps } from '../../tools/bundle';
import { testPlatform } from './support/platform';

type Wire = (platform: Platform) => Invoke<unknown>;
const MODULE = z.object({
  wire: z.custom<Wire>((value) => typeof value === 'function'),
  handler: z.function(),
});

/** Everything that any contract asks for. */
const ENV = {
  CLUSTER: 'demo',
  TABLE: 'table',
  SERVERS: '3',
  TARGET_GROUPS: 'arn:http,arn:https,arn:api',
  DOCUMENT_PREFIX: 'k3s-demo-',
  K3S_VERSION: 'v1.34.1+k3s1',
  SUBNETS: 'subnet-a,subnet-b,subnet-c',
  LAUNCH_TEMPLATE: 'lt-1',
  LAUNCH_TEMPLATE_VERSION: '1',
  INSTANCE_TYPES: 'm7g.medium,t4g.medium',
  STATE_MACHINE: 'arn:aws:states:eu-west-3:123456789012:stateMachine:k3s-demo',
  PROJECT: 'echo',
  TOPIC: 'arn:aws:sns:eu-west-3:123456789012:k3s-demo',
};

describe.each(steps())('the handler of %s', (step) => {
  const load = () => MODULE.parse(require(join('../../functions', step, 'handler')));

  it('can be imported without an environment and wired to any platform', async () => {
    const { wire } = load();
    const platform = { ...testPlatform(ENV), client: { region: 'eu-west-3' } };
    const invoke = wire(platform);
    await expect(invoke('not a payload')).rejects.toMatchObject({
      name: expect.stringMatching(/^(InvalidInput|MalformedEvent)$/),
    });
  });

  it('refuses an environment without its cluster', () => {
    const { wire } = load();
    expect(() => wire(testPlatform({ ...ENV, CLUSTER: undefined }))).toThrow(
      expect.objectContaining({ name: 'InvalidEnvironment', message: expect.stringContaining('CLUSTER') }),
    );
  });
});
