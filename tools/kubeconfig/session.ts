/**
 * Session Manager, through the AWS CLI and its plugin: what travels in a session is in no command history, no CloudTrail
 * event and no workflow. The one place where it may end up is the account's own session log: see `sessionLog`.
 */
import { spawn } from 'node:child_process';
import { GetDocumentCommand, SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import type { ClientSettings } from '../../functions/aws/client';
import { ToolError } from '../run';

/** Where K3s keeps it, readable for root only. */
const KUBECONFIG = '/etc/rancher/k3s/k3s.yaml';
const API_PORT = 6443;

interface Through {
  instanceId: string;
  region: string | undefined;
}

/** Prints the kubeconfig. The command is part of the CloudTrail event of StartSession, its output is not. */
export function fetchCommand(through: Through): string[] {
  return startSession(through, 'AWS-StartInteractiveCommand', { command: [`sudo cat ${KUBECONFIG}`] });
}

/** Forwards a port of this machine to the server's API, for as long as it runs. */
export function forwardCommand(through: Through, localPort: number): string[] {
  const parameters = { portNumber: [String(API_PORT)], localPortNumber: [String(localPort)] };
  return startSession(through, 'AWS-StartPortForwardingSession', parameters);
}

/** A shell on the server. */
export function shellCommand(through: Through): string[] {
  return startSession(through);
}

function startSession(
  { instanceId, region }: Through,
  document?: string,
  parameters: Record<string, string[]> = {},
): string[] {
  return [
    ...['aws', 'ssm', 'start-session', '--target', instanceId],
    ...(region === undefined ? [] : ['--region', region]),
    ...(document === undefined ? [] : ['--document-name', document, '--parameters', JSON.stringify(parameters)]),
  ];
}

/** A command as a person types it. */
export function shellWords(command: readonly string[]): string {
  return command.map((word) => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

/**
 * The kubeconfig within what a session printed: the plugin adds lines about the session and the terminal's line ends
 * (aws-cli#5965).
 * @throws ToolError when there is none; what was printed instead is shown, up to where a secret could begin
 */
export function kubeconfigIn(output: string): string {
  const text = output.replaceAll('\r', '');
  const start = text.search(/^apiVersion: v1$/m);
  if (start < 0) {
    const [said = ''] = text.split(/^(?=apiVersion|clusters:|users:)/m, 1);
    throw new ToolError(`the session ended without a kubeconfig: ${said.trim().slice(0, 500) || 'it printed nothing'}`);
  }
  const [config = ''] = text.slice(start).split(/^Exiting session with sessionId/m, 1);
  return `${config.trimEnd()}\n`;
}

export type RunSession = (command: readonly string[]) => Promise<string>;

/**
 * Runs the AWS CLI in this terminal and returns what it prints. The plugin wants a terminal (amazon-ssm-agent#354).
 * @throws ToolError when the CLI or its plugin is missing, or there is no terminal
 */
export const captureSession: RunSession = (command) => {
  if (!process.stdin.isTTY) {
    throw new ToolError(
      `Session Manager's plugin wants a terminal, and this is none. In a terminal: ${shellWords(command)}`,
    );
  }
  return run(command, 'pipe');
};

/** Runs the AWS CLI in this terminal until it ends. */
export const attachSession = async (command: readonly string[]): Promise<void> => {
  await run(command, 'inherit');
};

function run([program = '', ...args]: readonly string[], stdout: 'pipe' | 'inherit'): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['inherit', stdout, 'inherit'] });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    child.once('error', (error) => reject(new ToolError(`cannot run the AWS CLI: ${error.message}. ${INSTALL}`)));
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new ToolError(`the AWS CLI ended with exit code ${code}. ${INSTALL}`));
    });
  });
}

const INSTALL =
  'It takes the AWS CLI and its Session Manager plugin: ' +
  'https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html';

const PREFERENCES = z.looseObject({
  inputs: z.looseObject({ s3BucketName: z.string().optional(), cloudWatchLogGroupName: z.string().optional() }),
});

/**
 * Where this account and region record what sessions print; null: nowhere. Port forwarding is never recorded
 * (https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html).
 */
export async function sessionLog(client: ClientSettings): Promise<string | null> {
  // The account's preferences are this document; it does not exist before somebody sets any.
  const Name = 'SSM-SessionManagerRunShell';
  const content = await new SSMClient(client).send(new GetDocumentCommand({ Name })).then(
    (document) => document.Content ?? '{}',
    (error: unknown) => {
      if (error instanceof Error && error.name === 'InvalidDocument') return '{"inputs":{}}';
      throw error;
    },
  );
  const { inputs } = PREFERENCES.parse(JSON.parse(content));
  if (inputs.s3BucketName) return `s3://${inputs.s3BucketName}`;
  return inputs.cloudWatchLogGroupName ? `log group ${inputs.cloudWatchLogGroupName}` : null;
}
