/** How each protocol and service spells the errors that precede an operation. */
import type { z } from 'zod';
import { AwsError, type Protocol, type Service } from '../aws/service';

type Dialect = Pick<Service, 'name' | 'protocol'>;

const isQuery = (protocol: Protocol) => protocol === 'ec2' || protocol === 'query';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, and each service's common errors. */
const THROTTLES: Record<string, [code: string, message: string, status: number]> = {
  dynamodb: [
    'ProvisionedThroughputExceededException',
    'The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.',
    400,
  ],
  ec2: ['RequestLimitExceeded', 'Request limit exceeded.', 503],
  elasticloadbalancing: ['Throttling', 'Rate exceeded', 400],
  iam: ['Throttling', 'Rate exceeded', 400],
  lambda: ['TooManyRequestsException', 'Rate Exceeded.', 429],
  s3: ['SlowDown', 'Please reduce your request rate.', 503],
  sns: ['Throttling', 'Rate exceeded', 400],
  sts: ['Throttling', 'Rate exceeded', 400],
};

export function throttled({ name }: Dialect): AwsError {
  return new AwsError(...(THROTTLES[name] ?? (['ThrottlingException', 'Rate exceeded', 400] as const)));
}

export function unknownOperation({ name, protocol }: Dialect, operation: string): AwsError {
  const message = `The action ${operation} is not valid for this web service: the embedded ${name} does not know it.`;
  return new AwsError(isQuery(protocol) ? 'InvalidAction' : 'UnknownOperationException', message);
}

/** The access key id, or its session token, was issued by nobody here. */
export function unknownCaller({ protocol }: Dialect): AwsError {
  switch (protocol) {
    case 'ec2':
      return new AwsError('AuthFailure', 'AWS was not able to validate the provided access credentials', 401);
    case 'query':
      return new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid.', 403);
    case 'rest-xml':
      return new AwsError(
        'InvalidAccessKeyId',
        'The AWS Access Key Id you provided does not exist in our records.',
        403,
      );
    default:
      return new AwsError(
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
        protocol === 'rest-json' ? 403 : 400,
      );
  }
}

/**
 * The caller may not; `message` says what and why.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html, and the common errors of each service
 */
export function accessDenied({ name, protocol }: Dialect, message: string): AwsError {
  switch (protocol) {
    case 'ec2':
      // AWS adds an encoded message for sts:DecodeAuthorizationMessage.
      return new AwsError('UnauthorizedOperation', `You are not authorized to perform this operation. ${message}`, 403);
    case 'query':
      return new AwsError(name === 'sns' ? 'AuthorizationError' : 'AccessDenied', message, 403);
    case 'rest-xml':
      return new AwsError('AccessDenied', message, 403);
    default:
      return new AwsError('AccessDeniedException', message, protocol === 'rest-json' ? 403 : 400);
  }
}

export function wrongRegion({ protocol }: Dialect, region: string): AwsError {
  const message = `Credential should be scoped to a valid region, not '${region}'.`;
  if (protocol === 'ec2') return new AwsError('AuthFailure', message, 401);
  if (protocol === 'query') return new AwsError('SignatureDoesNotMatch', message, 403);
  if (protocol === 'rest-xml') return new AwsError('AuthorizationHeaderMalformed', message, 400);
  return new AwsError('InvalidSignatureException', message, 400);
}

/** A defect of the embedded AWS itself, which it reports as AWS reports its own. */
export function internalError({ protocol }: Dialect, error: unknown): AwsError {
  const message = `An internal error has occurred: ${error instanceof Error ? error.message : String(error)}`;
  return new AwsError(isQuery(protocol) ? 'InternalError' : 'InternalFailure', message, 500);
}

/** A parameter as the caller wrote it: query lists count from 1. */
function parameter(path: PropertyKey[], { protocol }: Dialect): string {
  if (isQuery(protocol)) return path.map((part) => (typeof part === 'number' ? part + 1 : String(part))).join('.');
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    '',
  );
}

/** Every fault of an input at once, naming the parameters. */
export function invalidInput(service: Dialect, operation: string, error: z.ZodError): AwsError {
  const unknown: string[] = [];
  const missing: string[] = [];
  const faults: string[] = [];
  for (const issue of error.issues) {
    const name = parameter(issue.path, service);
    if (issue.code === 'unrecognized_keys') {
      const names = issue.keys.map((key) => parameter([...issue.path, key], service));
      unknown.push(...names);
      faults.push(...names.map((key) => `the parameter ${key} is not recognized`));
    } else if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
      missing.push(name);
      faults.push(`the parameter ${name} is required`);
    } else {
      faults.push(`value for parameter ${name || '(input)'} is invalid: ${issue.message}`);
    }
  }
  const message = `${operation}: ${faults.join('; ')}.`;
  switch (service.protocol) {
    case 'ec2': {
      if (unknown.length > 0) return new AwsError('UnknownParameter', message);
      if (missing.length > 0) return new AwsError('MissingParameter', message);
      return new AwsError('InvalidParameterValue', message);
    }
    case 'query':
      return new AwsError(service.name === 'sns' ? 'InvalidParameter' : 'ValidationError', message);
    case 'rest-json':
      return new AwsError('InvalidParameterValueException', message);
    case 'rest-xml':
      return new AwsError('InvalidArgument', message);
    default:
      return new AwsError('ValidationException', message);
  }
}
