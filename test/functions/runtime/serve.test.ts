import * as z from 'zod/mini';
import { Throttled } from '../../../functions/cluster/errors';
import { connect, serve } from '../../../functions/runtime/serve';
import { testPlatform } from '../support/platform';

const CONTRACT = {
  Input: z.strictObject({ instanceId: z.string(), execution: z.optional(z.strictObject({ id: z.string() })) }),
  Output: z.strictObject({ count: z.int() }),
  Env: z.object({ CLUSTER: z.string(), SERVERS: z.string() }),
  errors: ['ServerLost'],
};
const ENV = { CLUSTER: 'demo', SERVERS: '3', AWS_LAMBDA_FUNCTION_NAME: 'k3s-demo-count', SECRET: 'hidden' };

class ServerLost extends Error {
  override readonly name = 'ServerLost';
}

describe('a connected step', () => {
  it('reads its environment once and answers any number of invocations', async () => {
    let built = 0;
    const wire = connect(CONTRACT, ({ env }) => {
      built++;
      return async () => ({ count: Number(env.SERVERS) });
    });
    const invoke = wire(testPlatform(ENV));
    expect(await invoke({ instanceId: 'i-1' })).toEqual({ count: 3 });
    expect(await invoke({ instanceId: 'i-2' })).toEqual({ count: 3 });
    expect(built).toBe(1);
  });

  it('refuses an environment that lacks variables, naming each of them', () => {
    const wire = connect(CONTRACT, () => async () => ({ count: 1 }));
    expect(() => wire(testPlatform({}))).toThrow(
      expect.objectContaining({ name: 'InvalidEnvironment', message: expect.stringMatching(/CLUSTER.*SERVERS/) }),
    );
  });

  it('refuses an input that does not follow the contract, without running the step', async () => {
    const step = jest.fn();
    const invoke = connect(CONTRACT, () => step)(testPlatform(ENV));
    await expect(invoke({ instanceId: 1, bogus: true })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringMatching(/instanceId: .*; bogus: is not a known field/),
    });
    expect(step).not.toHaveBeenCalled();
  });

  it('refuses to answer with what the contract does not promise', async () => {
    const invoke = connect(CONTRACT, () => async () => ({ count: 0.5 }))(testPlatform(ENV));
    await expect(invoke({ instanceId: 'i-1' })).rejects.toMatchObject({
      name: 'InvalidOutput',
      message: expect.stringContaining('count'),
    });
  });

  it('logs who, for whom and about what, and nothing else of its environment', async () => {
    const platform = testPlatform(ENV);
    const invoke = connect(CONTRACT, () => async (_input, log) => {
      log.info('counting servers', { slot: 2 });
      return { count: 1 };
    })(platform);
    await invoke({ instanceId: 'i-1', execution: { id: 'arn:e' } }, 'request-1');
    expect(platform.lines).toEqual([
      {
        time: '2026-11-22T14:00:00.000Z',
        level: 'info',
        message: 'counting servers',
        cluster: 'demo',
        function: 'k3s-demo-count',
        requestId: 'request-1',
        execution: 'arn:e',
        instanceId: 'i-1',
        slot: 2,
      },
    ]);
  });

  it.each([
    ['of its contract', new ServerLost('it is gone'), 'ServerLost'],
    ['that any step may throw', new Throttled('too fast'), 'Throttled'],
  ])('passes on an error %s with a warning', async (_which, error, name) => {
    const platform = testPlatform(ENV);
    const invoke = connect(CONTRACT, () => () => Promise.reject(error))(platform);
    await expect(invoke({ instanceId: 'i-1' })).rejects.toBe(error);
    expect(platform.lines).toMatchObject([{ level: 'warn', error: name, reason: error.message }]);
    expect(platform.lines[0]).not.toHaveProperty('stack');
  });

  it('passes on an unknown error as it is, and logs its stack', async () => {
    const platform = testPlatform(ENV);
    const error = new TypeError('x is not a function');
    const invoke = connect(CONTRACT, () => () => Promise.reject(error))(platform);
    await expect(invoke({ instanceId: 'i-1' })).rejects.toBe(error);
    expect(platform.lines).toMatchObject([{ level: 'error', error: 'TypeError', stack: error.stack }]);
  });
});

describe('a Lambda handler', () => {
  const wired = () => {
    const wire = jest.fn(() => async () => ({ count: 1 }));
    return { wire };
  };
  afterEach(() => {
    delete process.env.AWS_LAMBDA_FUNCTION_NAME;
  });

  it('is wired while the module loads inside Lambda', () => {
    process.env.AWS_LAMBDA_FUNCTION_NAME = 'k3s-demo-count';
    const { wire } = wired();
    serve(wire);
    expect(wire).toHaveBeenCalledTimes(1);
  });

  it('is wired once, at the first call, elsewhere', async () => {
    const { wire } = wired();
    const handler = serve(wire);
    expect(wire).not.toHaveBeenCalled();
    await handler({});
    await handler({});
    expect(wire).toHaveBeenCalledTimes(1);
  });
});
