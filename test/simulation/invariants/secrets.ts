/** Whether anything that people may read tells what only servers may know. */
import { z } from 'zod';
import type { EmbeddedAws } from '../../../local/embedded';
import { call } from '../../support/call';

const VALUE = z.object({ SecretString: z.string() });
const GROUPS = z.object({ logGroups: z.array(z.object({ logGroupName: z.string() })) });
const SENT = z.object({
  CommandInvocations: z.array(z.object({ CommandId: z.string(), InstanceId: z.string() })),
  NextToken: z.string().optional(),
});

/**
 * The places, a phrase each. To be asked when a life is over: reading a secret is a call like any other, and each draws
 * a number.
 */
export async function tellingSecrets({ world, services, stack }: EmbeddedAws): Promise<string[]> {
  const { secretsmanager, states, sns, ssm, logs, dynamodb } = services;
  const idsOf = (type: string) => [...stack.resources.values()].filter((resource) => resource.type === type);
  const values = await Promise.all(
    idsOf('AWS::SecretsManager::Secret').map(({ ref }) =>
      call(world, secretsmanager, 'GetSecretValue', { SecretId: ref }),
    ),
  );
  const { logGroups } = GROUPS.parse(await call(world, logs, 'DescribeLogGroups', {}));
  const executions = states.listExecutions();
  const places: Record<string, unknown> = {
    'what executions say': executions.map(({ input, output, cause }) => [input, output, cause]),
    'the history of executions': executions.map(({ history }) => history),
    'the messages': sns.inbox,
    'the output of commands': await outputs(),
    'the logs': logGroups.map(({ logGroupName }) => logs.lines(logGroupName)),
    'the table': idsOf('AWS::DynamoDB::Table').map(({ ref }) => dynamodb.items(ref)),
  };
  const secrets = values.map((value) => VALUE.parse(value).SecretString);
  return Object.entries(places)
    .filter(([, found]) => secrets.some((secret) => JSON.stringify(found).includes(secret)))
    .map(([place]) => `${place} tell the join token`);

  async function outputs(NextToken?: string): Promise<unknown[]> {
    const page = SENT.parse(await call(world, ssm, 'ListCommandInvocations', { NextToken }));
    const found = await Promise.all(
      page.CommandInvocations.map((sent) => call(world, ssm, 'GetCommandInvocation', sent)),
    );
    return page.NextToken === undefined ? found : [...found, ...(await outputs(page.NextToken))];
  }
}
