import { deniedCalls, nextSteps } from '../../../tools/local/summary';

const outputs = { StateMachineArn: 'arn:cluster', DeleteStateMachineArn: 'arn:delete', ClusterName: 'demo' };

describe('the next steps', () => {
  it('can be copied: the CLI finds the embedded AWS through its environment', () => {
    const text = nextSteps(
      { awsEndpoint: 'http://127.0.0.1:4566', url: 'http://127.0.0.1:8080' },
      outputs,
      'eu-west-3',
    );
    expect(text).toContain(
      'export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_DEFAULT_REGION=eu-west-3 AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local',
    );
    expect(text.match(/^ {2}aws /gm)).toHaveLength(3);
    expect(text).toMatch(/npm run fault -- kill server-1$/m);
    expect(text).toMatch(/npm run explain$/m);
  });

  it('name the port when it is not the usual one', () => {
    const text = nextSteps(
      { awsEndpoint: 'http://127.0.0.1:4999', url: 'http://127.0.0.1:8080' },
      outputs,
      'eu-west-3',
    );
    expect(text).toMatch(/npm run fault -- kill server-1 --port 4999$/m);
    expect(text).toMatch(/npm run explain -- --port 4999$/m);
  });

  it('ask the demo under its domain', () => {
    const addresses = { awsEndpoint: 'http://127.0.0.1:4566', url: 'http://127.0.0.1:8080' };
    const text = nextSteps(addresses, outputs, 'eu-west-3', 'demo.example.org');
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
