/** Where to click: pages of the AWS console. */

const CONSOLES: Record<string, string> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** The execution; without one, the workflow with its list of executions. */
export function executionLink(execution: string | null, stateMachine: string): string {
  const { console, region } = placeOf(stateMachine);
  const page = execution
    ? `executions/details/${encodeURIComponent(execution)}`
    : `statemachines/view/${encodeURIComponent(stateMachine)}`;
  return `https://${region}.${console}/states/home?region=${region}#/v2/${page}`;
}

/** The workflow's log group: the one of the execution, where there is one. */
export function logLink(execution: string | null, stateMachine: string): string {
  const { console, region, name } = placeOf(execution ?? stateMachine);
  // CloudWatch's console wants what stands after the # encoded twice, with $ in place of the second %.
  const group = encodeURIComponent(encodeURIComponent(`/aws/vendedlogs/states/${name}`)).replaceAll('%', '$');
  return `https://${region}.${console}/cloudwatch/home?region=${region}#logsV2:log-groups/log-group/${group}`;
}

/** Of `arn:<partition>:states:<region>:<account>:stateMachine:<name>`, or of an execution: `…:execution:<name>:<execution>`. */
function placeOf(arn: string): { console: string; region: string; name: string } {
  const [, partition = '', , region = '', , , name = ''] = arn.split(':');
  return { console: CONSOLES[partition] ?? 'console.aws.amazon.com', region, name };
}
