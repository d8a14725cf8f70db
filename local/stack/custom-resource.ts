/**
 * Custom resources: a function is told what to do and answers with a PUT to a URL.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html and …-responses.html
 */
import { z } from 'zod';
import type { LambdaInvoker } from '../aws/lambda/invoker';
import type { Provisioned, World } from '../aws/service';
import type { WireRequest, WireResponse } from '../wire/http';
import { DeploymentError, type Place } from './errors';

export const RESPONSE_PATH = '/_local/cloudformation/';

/** Seconds to wait for an answer unless ServiceTimeout says less. */
const MAX_TIMEOUT_SECONDS = 3600;

const RESPONSE = z.object({
  Status: z.enum(['SUCCESS', 'FAILED']),
  Reason: z.string().optional(),
  PhysicalResourceId: z.string().min(1).max(1024).optional(),
  StackId: z.string(),
  RequestId: z.string(),
  LogicalResourceId: z.string(),
  NoEcho: z.boolean().optional(),
  Data: z.record(z.string(), z.unknown()).default({}),
});
type Response = z.infer<typeof RESPONSE>;

const PROPERTIES = z.looseObject({
  ServiceToken: z.string().regex(/^arn:aws:lambda:/, 'must be the ARN of a Lambda function'),
  ServiceTimeout: z
    .union([z.int(), z.string().regex(/^\d+$/).transform(Number)])
    .pipe(z.int().min(1).max(MAX_TIMEOUT_SECONDS))
    .default(MAX_TIMEOUT_SECONDS),
});

/** Answers that are waited for. The HTTP server routes requests to them. */
export class CustomResourceResponses {
  private readonly waiting = new Map<string, (response: Response) => void>();

  /** Answers requests to response URLs; undefined for any other path. */
  route(request: Pick<WireRequest, 'method' | 'path' | 'body'>): WireResponse | undefined {
    if (!request.path.startsWith(RESPONSE_PATH)) return undefined;
    const id = request.path.slice(RESPONSE_PATH.length);
    const settle = this.waiting.get(id);
    if (request.method !== 'PUT' || !settle) return reply(403, 'the response URL has expired or never existed');
    const response = RESPONSE.safeParse(fromJson(request.body));
    if (!response.success) return reply(400, `not a custom resource response: ${z.prettifyError(response.error)}`);
    this.waiting.delete(id);
    settle(response.data);
    return reply(200, '');
  }

  /** A new response URL's path id, and the answer that will arrive there. */
  expect(id: string): Promise<Response> {
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  forget(id: string): void {
    this.waiting.delete(id);
  }
}

const reply = (status: number, message: string): WireResponse => ({
  status,
  headers: { 'content-type': 'text/plain' },
  body: Buffer.from(message),
});

function fromJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

export interface CustomResourceContext {
  world: World;
  lambda: LambdaInvoker;
  responses: CustomResourceResponses;
  /** `http://127.0.0.1:4566`, without a slash at its end. */
  endpointUrl: string;
  stackId: string;
}

interface Request {
  type: string;
  logicalId: string;
  properties: Record<string, unknown>;
  /** Set for a deletion. */
  physicalId?: string;
}

export const isCustomResource = (type: string): boolean =>
  type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource';

/** @throws DeploymentError with the Reason the function gave, or why it gave none */
export async function createCustomResource(request: Request, context: CustomResourceContext): Promise<Provisioned> {
  const { PhysicalResourceId, Data } = await ask('Create', request, context);
  if (PhysicalResourceId === undefined) throw failed(request, 'the response has no PhysicalResourceId');
  return { ref: PhysicalResourceId, attributes: Data };
}

/** @throws DeploymentError when the function refuses the deletion */
export async function deleteCustomResource(request: Request, context: CustomResourceContext): Promise<void> {
  await ask('Delete', request, context);
}

async function ask(
  RequestType: 'Create' | 'Delete',
  request: Request,
  { world, lambda, responses, endpointUrl, stackId }: CustomResourceContext,
): Promise<Response> {
  const { type, logicalId, physicalId } = request;
  const parsed = PROPERTIES.safeParse(request.properties);
  if (!parsed.success) throw failed(request, z.prettifyError(parsed.error));
  const RequestId = world.random.uuid();
  const ResponseURL = `${endpointUrl}${RESPONSE_PATH}${RequestId}`;
  const event = {
    RequestType,
    ServiceToken: parsed.data.ServiceToken,
    ResponseURL,
    StackId: stackId,
    RequestId,
    LogicalResourceId: logicalId,
    ...(physicalId === undefined ? {} : { PhysicalResourceId: physicalId }),
    ResourceType: type,
    ResourceProperties: stringified(request.properties),
  };
  const answer = responses.expect(RequestId);
  const patience = new AbortController();
  try {
    const fault = runFunction(lambda, parsed.data.ServiceToken, event);
    // Real CloudFormation invokes asynchronously and would wait for its whole timeout after an error.
    const silence = fault.then(async (reason) => {
      if (reason !== undefined) throw failed(request, reason);
      await world.clock.sleep(parsed.data.ServiceTimeout * 1000, patience.signal);
      throw failed(request, `its function did not answer within ${parsed.data.ServiceTimeout} s`);
    });
    const response = await Promise.race([answer, silence]);
    if (response.Status === 'FAILED') throw failed(request, response.Reason ?? 'the function gave no reason');
    const strange = (['StackId', 'RequestId', 'LogicalResourceId'] as const).find(
      (key) => response[key] !== event[key],
    );
    if (strange) throw failed(request, `the response has another ${strange}`);
    const late = await fault;
    if (late !== undefined) world.log('custom resource failed after its answer', { logicalId, reason: late });
    return response;
  } finally {
    responses.forget(RequestId);
    patience.abort(new Error('answered'));
  }
}

/** Why the function did not end well; undefined when it did. */
async function runFunction(
  lambda: LambdaInvoker,
  functionName: string,
  event: { RequestId: string },
): Promise<string | undefined> {
  try {
    const { functionError, payload } = await lambda.invoke({
      functionName,
      payload: JSON.stringify(event),
      invocationType: 'RequestResponse',
      requestId: event.RequestId,
    });
    return functionError && `its function failed: ${payload}`;
  } catch (error) {
    return `its function could not be invoked: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const failed = ({ logicalId, type }: Place, reason: string) =>
  new DeploymentError(reason, { ...(logicalId ? { logicalId } : {}), ...(type ? { type } : {}) });

/** CloudFormation hands every scalar over as a string. */
function stringified(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stringified);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, stringified(item)]));
  }
  return String(value);
}
