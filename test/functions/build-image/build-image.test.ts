import type { Build } from '../../../functions/aws/builds';
import { buildImage, type Deps, PATIENCE_MS } from '../../../functions/build-image/build-image';
import { silent } from '../support/log';

const EVENT = {
  RequestType: 'Create' as const,
  ResponseURL: 'https://cloudformation-custom-resource-response.example/answer',
  StackId: 'arn:stack',
  RequestId: 'request-1',
  LogicalResourceId: 'EchoImageBuild',
};

const build = (status: string, reason = ''): Build => ({ status, phase: 'BUILD', reason, logGroup: 'echo-logs' });

/** @param states what CodeBuild answers to one question after the other; the last for ever. An error is thrown. */
function given(...states: (Build | Error)[]) {
  let time = 0;
  const started: string[] = [];
  const answers: Record<string, unknown>[] = [];
  const deps: Deps = {
    cluster: 'demo',
    builds: {
      start: async (token) => {
        started.push(token);
        return 'project:1';
      },
      get: async () => {
        const state = states.length > 1 ? states.shift() : states[0];
        if (!state || state instanceof Error) throw state;
        return state;
      },
    },
    now: () => time,
    sleep: async (ms) => {
      time += ms;
    },
    fetch: async (_url, { body }) => {
      answers.push(JSON.parse(body));
      return { ok: true, status: 200 };
    },
  };
  return { deps, started, answers, elapsed: () => time };
}

it('succeeds when the build has, and not before', async () => {
  const { deps, started, answers, elapsed } = given(build('IN_PROGRESS'), build('IN_PROGRESS'), build('SUCCEEDED'));
  expect(await buildImage(EVENT, deps, silent)).toEqual({ status: 'SUCCESS' });
  expect(started).toEqual(['request-1']);
  expect(elapsed()).toBe(15_000);
  expect(answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: 'demo-echo-image', RequestId: 'request-1' }]);
});

it('an update builds anew and remains the same resource', async () => {
  const { deps, started, answers } = given(build('SUCCEEDED'));
  await buildImage({ ...EVENT, RequestType: 'Update', PhysicalResourceId: 'known' }, deps, silent);
  expect(started).toEqual(['request-1']);
  expect(answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: 'known' }]);
});

it('a deletion builds nothing', async () => {
  const { deps, started, answers } = given();
  await buildImage({ ...EVENT, RequestType: 'Delete', PhysicalResourceId: 'known' }, deps, silent);
  expect(started).toEqual([]);
  expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
});

it('fails with what the build said, and where its log is', async () => {
  const { deps, answers } = given(build('FAILED', 'BUILD: exit status 1'));
  expect(await buildImage(EVENT, deps, silent)).toEqual({ status: 'FAILED' });
  expect(answers).toMatchObject([
    {
      Status: 'FAILED',
      Reason: "the image's build project:1 ended with FAILED: BUILD: exit status 1. Its log is in echo-logs",
    },
  ]);
});

it('fails when the build cannot be started', async () => {
  const { deps, answers } = given();
  const refused = Object.assign(new Error('not yours'), { name: 'AccessDeniedException' });
  const start = () => Promise.reject(refused);
  await buildImage(EVENT, { ...deps, builds: { ...deps.builds, start } }, silent);
  expect(answers).toMatchObject([
    { Status: 'FAILED', Reason: "the image's build could not be started: AccessDeniedException: not yours" },
  ]);
});

it('goes on when AWS does not answer for a while', async () => {
  const { deps } = given(new Error('throttled'), new Error('throttled'), build('SUCCEEDED'));
  expect(await buildImage(EVENT, deps, silent)).toEqual({ status: 'SUCCESS' });
});

it('gives up in time to say so', async () => {
  const { deps, answers, elapsed } = given(build('IN_PROGRESS'));
  expect(await buildImage(EVENT, deps, silent)).toEqual({ status: 'FAILED' });
  expect(elapsed()).toBe(PATIENCE_MS);
  expect(answers).toMatchObject([{ Reason: expect.stringMatching(/did not end within 14 min: it is in BUILD$/) }]);
});
