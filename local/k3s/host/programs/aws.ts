/** The three calls that node scripts make with the AWS CLI, sent to the AWS endpoint with the node's own credentials. */
import { z } from 'zod';
import type { Clock } from '../../../clock';
import type { Endpoint, WireResponse } from '../../../wire/http';
import { sign } from '../../../wire/sign';
import type { Command, CommandResult, MachineContext } from '../../command';
import { failure, success } from './result';

/** Exit codes of CLI version 2: https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html */
const USAGE = 252;
const CLIENT_ERROR = 254;
const UNREACHABLE = 255;

/** The CLI's `cli_connect_timeout` unless configured, ms. */
const CONNECT_TIMEOUT_MS = 60_000;

const SECRET = z.object({ SecretString: z.string() });
const LOGIN = z.object({ authorizationData: z.tuple([z.object({ authorizationToken: z.string() })]) });
const JSON_ERROR = z.object({ __type: z.string(), message: z.string().optional(), Message: z.string().optional() });

/**
 * `aws secretsmanager get-secret-value --region R --secret-id S --query SecretString --output text`,
 * `aws ecr get-login-password --region R` and `aws s3 cp s3://bucket/key FILE --region R [--only-show-errors]`; anything else is refused by name.
 */
export function awsProgram(clock: Clock, endpoint: Endpoint, online: (address: string) => boolean): Command {
  return async (machine, args) => {
    try {
      if (args[0] === 'secretsmanager' && args[1] === 'get-secret-value') {
        return await getSecretValue(machine, args.slice(2));
      }
      if (args[0] === 'ecr' && args[1] === 'get-login-password') return await getLoginPassword(machine, args.slice(2));
      if (args[0] === 's3' && args[1] === 'cp') return await copyFromS3(machine, args.slice(2));
    } catch (error) {
      if (error instanceof Usage) return failure(USAGE, `aws: [ERROR]: ${error.message}`);
      throw error;
    }
    return failure(USAGE, `aws: [ERROR]: the embedded AWS does not know aws ${args.slice(0, 2).join(' ')}`);
  };

  async function getSecretValue(machine: MachineContext, args: readonly string[]): Promise<CommandResult> {
    const options = parse(args, ['--region', '--secret-id', '--query', '--output']);
    if (options['--query'] !== 'SecretString' || options['--output'] !== 'text') {
      throw new Usage('get-secret-value is only known with --query SecretString --output text');
    }
    const answer = await json(machine, {
      service: 'secretsmanager',
      target: 'secretsmanager',
      operation: 'GetSecretValue',
      region: need(options, '--region'),
      input: { SecretId: need(options, '--secret-id') },
    });
    return 'exitCode' in answer ? answer : success(`${SECRET.parse(answer.output).SecretString}\n`);
  }

  /** The password of the login that ECR answers with; the user is always AWS. */
  async function getLoginPassword(machine: MachineContext, args: readonly string[]): Promise<CommandResult> {
    const answer = await json(machine, {
      service: 'ecr',
      target: 'AmazonEC2ContainerRegistry_V20150921',
      operation: 'GetAuthorizationToken',
      region: need(parse(args, ['--region']), '--region'),
      input: {},
    });
    if ('exitCode' in answer) return answer;
    const [{ authorizationToken }] = LOGIN.parse(answer.output).authorizationData;
    const [, password = ''] = Buffer.from(authorizationToken, 'base64').toString('utf8').split(':');
    return success(`${password}\n`);
  }

  /** A call of a service that speaks JSON: its output, or how the CLI reports that there is none. */
  async function json(
    machine: MachineContext,
    { service, target, operation, region, input }: JsonCall,
  ): Promise<CommandResult | { output: unknown }> {
    const response = await call(machine, {
      service,
      region,
      method: 'POST',
      path: '/',
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        host: `${service}.${region}.amazonaws.com`,
        'x-amz-target': `${target}.${operation}`,
      },
      body: JSON.stringify(input),
    });
    if (!response) return unreachable(service);
    const output: unknown = JSON.parse(response.body.toString());
    if (response.status === 200) return { output };
    const error = JSON_ERROR.parse(output);
    const code = error.__type.split('#').at(-1);
    const message = error.message ?? error.Message ?? '';
    return failure(CLIENT_ERROR, `\nAn error occurred (${code}) when calling the ${operation} operation: ${message}`);
  }

  /** The CLI asks for the object's size first, so a missing object is `(404) … HeadObject`, not NoSuchKey. */
  async function copyFromS3(machine: MachineContext, args: readonly string[]): Promise<CommandResult> {
    const [source = '', target = '', ...rest] = args;
    const quiet = rest.includes('--only-show-errors');
    const options = parse(
      rest.filter((arg) => arg !== '--only-show-errors'),
      ['--region'],
    );
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(source) ?? [];
    if (!bucket || !key || !target.startsWith('/')) throw new Usage('s3 cp is only known from s3://… to a file');
    const region = need(options, '--region');
    const request = {
      service: 's3',
      region,
      path: `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`,
      headers: { host: `s3.${region}.amazonaws.com` },
      body: '',
    };
    for (const [method, operation] of [
      ['HEAD', 'HeadObject'],
      ['GET', 'GetObject'],
    ] as const) {
      const response = await call(machine, { ...request, method });
      if (!response) return unreachable('s3');
      if (response.status !== 200) {
        const reason = { 403: 'Forbidden', 404: 'Not Found' }[response.status] ?? 'Error';
        const code = /<Code>([^<]+)/.exec(response.body.toString())?.[1] ?? String(response.status);
        const shown = method === 'HEAD' ? String(response.status) : code;
        const message = `An error occurred (${shown}) when calling the ${operation} operation: ${reason}`;
        return failure(1, `fatal error: ${message}`);
      }
      if (method === 'GET') machine.files.write(target, response.body.toString('utf8'));
    }
    return success(quiet ? '' : `download: ${source} to ${target}\n`);
  }

  /** Undefined when no answer came back. The CLI retries lost answers and throttling itself, thrice in all. */
  async function call(
    { spec, signal }: MachineContext,
    request: Parameters<typeof sign>[0],
  ): Promise<WireResponse | undefined> {
    let answer: WireResponse | undefined;
    for (let attempt = 1; attempt <= 3; attempt++) {
      if (online(spec.privateIp)) {
        answer = await endpoint(sign(request, spec.credentials, clock.now())).catch(() => undefined);
      } else {
        await clock.sleep(CONNECT_TIMEOUT_MS, signal);
        answer = undefined;
      }
      signal.throwIfAborted();
      const throttled = answer && /Throttl|SlowDown|TooManyRequests/.test(answer.body.toString('latin1'));
      if (answer && answer.status < 500 && !throttled) return answer;
      if (attempt < 3) await clock.sleep(1000 * attempt, signal);
    }
    return answer;
  }
}

interface JsonCall {
  service: string;
  /** The prefix of `x-amz-target`. */
  target: string;
  operation: string;
  region: string;
  input: object;
}

class Usage extends Error {}

function parse(args: readonly string[], known: string[]): Partial<Record<string, string>> {
  const options: Record<string, string> = {};
  for (let index = 0; index < args.length; index += 2) {
    const [name = '', value] = args.slice(index, index + 2);
    if (!known.includes(name)) throw new Usage(`Unknown options: ${name}`);
    if (value === undefined) throw new Usage(`argument ${name}: expected one argument`);
    options[name] = value;
  }
  return options;
}

function need(options: Partial<Record<string, string>>, name: string): string {
  const value = options[name];
  if (!value) throw new Usage(`the following arguments are required: ${name}`);
  return value;
}

const unreachable = (service: string) => failure(UNREACHABLE, `\nCould not connect to the endpoint URL of ${service}`);
