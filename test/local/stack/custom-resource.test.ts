import type { InvokeRequest } from '../../../local/aws/lambda/invoker';
import { type CustomResourceResponses, RESPONSE_PATH } from '../../../local/stack';
import { deployThings } from './support';

const TEMPLATE = {
  Resources: {
    Guard: {
      Type: 'Custom::GuardDeletion',
      Properties: {
        ServiceToken: { 'Fn::GetAtt': ['Function', 'Arn'] },
        ServiceTimeout: '120',
        Count: 3,
        Deep: [true],
      },
    },
    Function: { Type: 'Test::Thing' },
  },
  Outputs: { Answer: { Value: { 'Fn::GetAtt': ['Guard', 'Answer'] } }, Id: { Value: { Ref: 'Guard' } } },
};

interface Event {
  RequestType: string;
  ResponseURL: string;
  StackId: string;
  RequestId: string;
  LogicalResourceId: string;
  PhysicalResourceId?: string;
}
const parse = ({ payload }: InvokeRequest): Event => JSON.parse(payload);
const OK = { statusCode: 200, payload: 'null' };

function put(responses: CustomResourceResponses, event: Event, answer: Record<string, unknown>) {
  return responses.route({
    method: 'PUT',
    path: new URL(event.ResponseURL).pathname,
    body: Buffer.from(
      JSON.stringify({
        Status: 'SUCCESS',
        PhysicalResourceId: 'guard-1',
        StackId: event.StackId,
        RequestId: event.RequestId,
        LogicalResourceId: event.LogicalResourceId,
        ...answer,
      }),
    ),
  });
}

/** Deploys with a function that answers each request like this. */
const deployAnswering = (answer: Record<string, unknown> | ((event: Event) => Record<string, unknown>)) =>
  deployThings(TEMPLATE, {
    invoke: async (request, responses) => {
      const event = parse(request);
      put(responses, event, typeof answer === 'function' ? answer(event) : answer);
      return OK;
    },
  });

describe('a custom resource', () => {
  it('asks its function as CloudFormation does and takes its answer', async () => {
    let seen: InvokeRequest | undefined;
    const { stack } = await deployThings(TEMPLATE, {
      invoke: async (request, responses) => {
        seen = request;
        put(responses, parse(request), { Data: { Answer: '42' } });
        return OK;
      },
    });
    expect(stack.outputs).toEqual({ Answer: '42', Id: 'guard-1' });
    expect(seen!.functionName).toBe('arn:aws:lambda:eu-west-3:123456789012:function:Function');
    expect(parse(seen!)).toEqual({
      RequestType: 'Create',
      ServiceToken: seen!.functionName,
      ResponseURL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:4566\/_local\/cloudformation\/[0-9a-f-]{36}$/),
      StackId: stack.id,
      RequestId: expect.any(String),
      ResourceType: 'Custom::GuardDeletion',
      LogicalResourceId: 'Guard',
      ResourceProperties: {
        ServiceToken: seen!.functionName,
        ServiceTimeout: '120',
        Count: '3',
        Deep: ['true'],
      },
    });
  });

  it.each([
    ['the function says so', { Status: 'FAILED', Reason: 'servers exist' }, 'servers exist'],
    ['the answer names no resource', { PhysicalResourceId: undefined }, 'the response has no PhysicalResourceId'],
    ['the answer is to another request', { RequestId: 'other' }, 'the response has another RequestId'],
  ])('fails the deployment when %s', async (_when, answer, reason) => {
    await expect(deployAnswering(answer)).rejects.toThrow(`Guard (Custom::GuardDeletion): ${reason}`);
  });

  it('fails at once when its function throws, and after its timeout when it is silent', async () => {
    const crash = deployThings(TEMPLATE, {
      invoke: async () => ({ statusCode: 200, functionError: 'Unhandled', payload: '{"errorMessage":"boom"}' }),
    });
    await expect(crash).rejects.toThrow('Guard (Custom::GuardDeletion): its function failed: {"errorMessage":"boom"}');
    await expect(deployThings(TEMPLATE, { invoke: async () => OK })).rejects.toThrow(
      'its function did not answer within 120 s',
    );
    const gone = deployThings(TEMPLATE, {
      invoke: async () => {
        throw new Error('Function not found');
      },
    });
    await expect(gone).rejects.toThrow('its function could not be invoked: Function not found');
  });

  it('can refuse the deletion of its stack', async () => {
    let servers = 3;
    const requests: Event[] = [];
    const { stack } = await deployAnswering((event) => {
      requests.push(event);
      return event.RequestType === 'Delete' && servers > 0
        ? { Status: 'FAILED', Reason: 'servers exist' }
        : { Data: { Answer: '' } };
    });
    await expect(stack.requestDeletion()).rejects.toThrow('Guard (Custom::GuardDeletion): servers exist');
    servers = 0;
    await stack.requestDeletion();
    expect(requests.at(-1)).toMatchObject({ RequestType: 'Delete', PhysicalResourceId: 'guard-1' });
  });
});

describe('the response route', () => {
  it('leaves other paths alone and refuses answers nobody waits for', async () => {
    const { responses } = await deployAnswering({ Data: { Answer: '' } });
    const body = Buffer.from('{}');
    expect(responses.route({ method: 'GET', path: '/_local/state', body })).toBeUndefined();
    expect(responses.route({ method: 'PUT', path: `${RESPONSE_PATH}unknown`, body })).toMatchObject({ status: 403 });
  });

  it('refuses an answer of another form and keeps waiting', async () => {
    const statuses: unknown[] = [];
    await deployThings(TEMPLATE, {
      invoke: async (request, responses) => {
        statuses.push(put(responses, parse(request), { Status: 'MAYBE' })?.status);
        statuses.push(put(responses, parse(request), { Data: { Answer: '' } })?.status);
        return OK;
      },
    });
    expect(statuses).toEqual([400, 200]);
  });
});
