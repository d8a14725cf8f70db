import { AwsError, type Service, type World } from '../../local/aws/service';

/** Calls an operation as the wire does, without the wire: parses the input, then handles it. */
export async function call(world: World, service: Service, name: string, input: unknown): Promise<unknown> {
  const operation = service.operations[name];
  if (!operation) throw new Error(`${service.name} has no operation ${name}`);
  const caller = world.credentials.issue(`arn:aws:iam::${world.account}:root`);
  return operation.handle(operation.input.parse(input), { caller, requestId: world.random.uuid() });
}

/** The AWS error that a call ends with. Fails when it succeeds or ends with anything else. */
export async function refusal(promise: Promise<unknown>): Promise<Pick<AwsError, 'code' | 'message' | 'detail'>> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const { code, message, detail } = error;
    return { code, message, detail };
  }
  throw new Error(`the call was expected to be refused, it returned ${JSON.stringify(result)}`);
}
