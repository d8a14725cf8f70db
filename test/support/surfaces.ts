/** Everything that leaves the system in a run: what somebody who may not read secrets can still see, as text. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Service } from '../../local/aws/service';
import type { EmbeddedAws } from '../../local/embedded';
import { assembly } from './assembly-path';
import { call } from './call';

/** What has to be listened to while it happens. */
export class Overheard {
  readonly events: unknown[] = [];

  constructor({ services }: Pick<EmbeddedAws, 'services'>) {
    services.events.onEvent((event) => this.events.push(event));
  }
}

const INVOCATIONS = z.object({
  CommandInvocations: z.array(z.object({ CommandId: z.string(), InstanceId: z.string() })),
});
const GROUPS = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
const DOCUMENTS = z.object({ DocumentIdentifiers: z.array(z.object({ Name: z.string() })) });
const TEMPLATES = z.object({ launchTemplates: z.array(z.object({ launchTemplateId: z.string() })) });
const NEXT = z.object({ NextToken: z.string().optional(), nextToken: z.string().optional() });

/**
 * @param observed the calls that reached AWS (as CloudTrail would have them) and what the embedded AWS logged
 * @returns each surface by its name
 */
export async function surfaces(
  aws: EmbeddedAws,
  { events }: Overheard,
  observed: { calls: unknown; lines: unknown },
): Promise<Record<string, string>> {
  const { services, world } = aws;
  const { ec2, ssm, states, logs, dynamodb, lambda, elbv2 } = services;

  /** Every page of an answer. */
  const ask = async (service: Service, name: string, input: object = {}): Promise<unknown[]> => {
    const pages: unknown[] = [];
    for (let token: object | undefined = {}; token; ) {
      const page = await call(world, service, name, { ...input, ...token });
      pages.push(page);
      const { NextToken, nextToken } = NEXT.parse(page);
      token = NextToken !== undefined ? { NextToken } : nextToken !== undefined ? { nextToken } : undefined;
    }
    return pages;
  };
  const every = async (asked: Promise<unknown>[]) => JSON.stringify(await Promise.all(asked));

  const executions = states.listExecutions();
  const invocations = (await ask(ssm, 'ListCommandInvocations')).flatMap(
    (page) => INVOCATIONS.parse(page).CommandInvocations,
  );
  const groups = (await ask(logs, 'DescribeLogGroups')).flatMap((page) => GROUPS.parse(page).logGroups);
  const documents = (await ask(ssm, 'ListDocuments')).flatMap((page) => DOCUMENTS.parse(page).DocumentIdentifiers);
  const templates = (await ask(ec2, 'DescribeLaunchTemplates')).flatMap(
    (page) => TEMPLATES.parse(page).launchTemplates,
  );
  return {
    'input and output of executions': await every(
      executions.map(({ arn }) => ask(states, 'DescribeExecution', { executionArn: arn })),
    ),
    'history of executions': JSON.stringify(executions.map(({ history }) => history)),
    'parameters of commands': await every([ask(ssm, 'ListCommands')]),
    'output of commands': await every(
      invocations.map(({ CommandId, InstanceId }) => ask(ssm, 'GetCommandInvocation', { CommandId, InstanceId })),
    ),
    documents: await every(documents.map(({ Name }) => ask(ssm, 'GetDocument', { Name }))),
    'logs of functions and workflows': JSON.stringify(groups.map(({ logGroupName }) => logs.lines(logGroupName))),
    'instances, volumes, interfaces and their tags': await every([
      ask(ec2, 'DescribeInstances'),
      ask(ec2, 'DescribeVolumes'),
      ask(ec2, 'DescribeNetworkInterfaces'),
      ask(ec2, 'DescribeTags'),
    ]),
    'user data': await every(
      templates.map(({ launchTemplateId }) =>
        ask(ec2, 'DescribeLaunchTemplateVersions', { LaunchTemplateId: launchTemplateId }),
      ),
    ),
    functions: await every([ask(lambda, 'ListFunctions')]),
    'load balancer': await every([ask(elbv2, 'DescribeTargetGroups'), ask(elbv2, 'DescribeLoadBalancers')]),
    table: await every([ask(dynamodb, 'Scan', { TableName: tableOf(aws) })]),
    events: JSON.stringify(events),
    messages: JSON.stringify(services.sns.inbox),
    'calls of AWS': JSON.stringify(observed.calls),
    'what the run printed': JSON.stringify(observed.lines),
    'the page of the state': JSON.stringify(aws.state()),
    'outputs of the stack': JSON.stringify(aws.stack.outputs),
    'the assembly': assemblyText(),
  };
}

function tableOf({ stack }: EmbeddedAws): string {
  return [...stack.resources.values()].find(({ type }) => type === 'AWS::DynamoDB::Table')?.ref ?? '';
}

/** Everything but the code of the functions. */
function assemblyText(): string {
  const directory = assembly();
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => readFileSync(join(directory, name), 'utf8'))
    .join('\n');
}
