import { deniedCalls, type Next, success } from '../../../tools/local/summary';

const NEXT: Next = {
  outputs: { StateMachineArn: 'arn:cluster', DeleteStateMachineArn: 'arn:delete', ClusterName: 'demo' },
  region: 'eu-west-3',
  domain: undefined,
};

function said(next: Next | null, port = 4566): string {
  const server = {
    slot: 0,
    instanceId: 'i-0',
    availabilityZone: 'eu-west-3a',
    privateIp: '127.77.0.1',
    state: 'running',
  };
  const group = { name: 'http', port: 80, healthy: 1, unhealthy: 0, targets: [] };
  const state = {
    at: '2026-11-22T09:00:00.000Z',
    servers: [{ ...server, ready: true, etcdVoter: true }],
    targetGroups: [group],
    members: [],
    nodes: [],
    pods: [],
    instances: [],
    executions: [],
    urls: {},
  };
  const traffic = { ok: true, status: 200, node: 'i-0' };
  return success({ awsEndpoint: `http://127.0.0.1:${port}`, url: 'http://127.0.0.1:8080', traffic, state }, next);
}

describe('what is said when the cluster stands', () => {
  it('shows the servers, the targets and who answered', () => {
    expect(said(null)).toBe(
      [
        '  server    instance  zone        address     node   etcd',
        '  server-0  i-0       eu-west-3a  127.77.0.1  Ready  voter',
        '',
        '  healthy targets: http 1 of 1',
        '  http://127.0.0.1:8080 answered from i-0',
      ].join('\n'),
    );
  });

  it('names what to do next only while there is something to do it with', () => {
    expect(said(NEXT).startsWith(`${said(null)}\n\nTry it:\n`)).toBe(true);
    expect(said(null)).not.toMatch(/Try it|Break it|It is AWS|4566/);
  });

  it('has commands to be copied: the CLI finds the embedded AWS through its environment', () => {
    const text = said(NEXT);
    expect(text).toContain(
      'export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=eu-west-3 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local',
    );
    expect(text.match(/^ {2}aws /gm)).toHaveLength(3);
    expect(text).toMatch(/npm run fault -- kill server-1$/m);
    expect(text).toMatch(/npm run explain$/m);
  });

  it('names the port when it is not the usual one', () => {
    const text = said(NEXT, 4999);
    expect(text).toMatch(/npm run fault -- kill server-1 --port 4999$/m);
    expect(text).toMatch(/npm run explain -- --port 4999$/m);
  });

  it('asks the demo under its domain', () => {
    const text = said({ ...NEXT, domain: 'demo.example.org' });
    expect(text).toMatch(/curl --header 'Host: demo\.example\.org' http:\/\/127\.0\.0\.1:8080$/m);
  });
});

it('denied calls are listed once each, with how often they were made', () => {
  const denial = { at: 0, principal: 'p', action: 'a', resource: 'r' };
  const text = deniedCalls([
    { ...denial, times: 1, message: 'User: p may not a' },
    { ...denial, times: 3, message: 'User: p may not b' },
  ]);
  expect(text.split('\n').slice(1)).toEqual(['  User: p may not a', '  User: p may not b (3 times)']);
});
