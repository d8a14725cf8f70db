import type { Script } from '../../functions/contracts';
import { renderScript } from '../../nodes/render';

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/documents.html: a document has at most 64 KB. */
const DOCUMENT_LIMIT = 64 * 1024;

interface Parameter {
  readonly description: string;
  readonly allowedPattern: string;
  /** Absent: the parameter is required. */
  readonly default?: string;
}

interface NodeCommand {
  /** Of the file: `nodes/<stem>.sh`. */
  readonly stem: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** After which the agent ends the script. Above the script's own bound, so that its exit code tells why it gave up. */
  readonly timeoutSeconds: number;
}

const IPV4 = '(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}';

/** The commands that the workflow runs on a node. State, script and document are one stem. */
export const NODE_COMMANDS: Readonly<Record<Script, NodeCommand>> = {
  StartServer: {
    stem: 'start-server',
    description:
      'Starts K3s as the first server or joins it to a cluster, and waits until it is Ready and an etcd voter',
    parameters: {
      mode: { description: 'init: the first server; join: any other', allowedPattern: '^(init|join)$' },
      peerAddress: {
        description: 'Private IPv4 address of a healthy server; empty for init',
        allowedPattern: `^(|${IPV4})$`,
        default: '',
      },
      caHash: {
        description: "SHA-256 of the cluster's CA certificate; empty for init",
        allowedPattern: '^(|[0-9a-f]{64})$',
        default: '',
      },
    },
    timeoutSeconds: 150,
  },
  ReportStatus: {
    stem: 'report-status',
    description: 'Reports what this server knows of K3s, etcd and the cluster; changes nothing',
    parameters: {},
    timeoutSeconds: 60,
  },
  RemoveMember: {
    stem: 'remove-member',
    description: 'Removes a dead server from Kubernetes and etcd; runs on a healthy one',
    parameters: {
      nodeName: { description: 'Its node name, which is its instance id', allowedPattern: '^i-[0-9a-f]{8,17}$' },
      address: {
        description: 'Its private IPv4 address; empty when unknown',
        allowedPattern: `^(|${IPV4})$`,
        default: '',
      },
    },
    timeoutSeconds: 165,
  },
  ApplyManifests: {
    stem: 'apply-manifests',
    description: "Downloads the cluster's manifests, verifies and applies them",
    parameters: {
      manifestsUri: {
        description: 'Their S3 URI',
        allowedPattern: '^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9._/-]{1,512}$',
      },
      manifestsSha256: { description: 'Their SHA-256', allowedPattern: '^[0-9a-f]{64}$' },
      echoRepository: {
        description: "The repository of the echo service's image; empty when the manifests name the image",
        allowedPattern: '^(|[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[a-z0-9._/-]{2,256})$',
        default: '',
      },
    },
    timeoutSeconds: 270,
  },
};

/**
 * The content of the SSM document of a node command.
 * Values reach the script as environment variables `SSM_<name>` (`interpolationType: ENV_VAR`), never by substitution
 * into its text. The agent runs the lines as one file, by its interpreter line.
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-syntax-data-elements-parameters.html
 * @throws when SSM would refuse the script, or take part of it for a parameter reference
 */
export function documentContent(command: Script) {
  const { stem, description, parameters, timeoutSeconds } = NODE_COMMANDS[command];
  const script = renderScript(stem);
  if (!script.startsWith('#!')) throw new Error(`nodes/${stem}.sh must start with its interpreter line`);
  if (script.includes('{{')) throw new Error(`nodes/${stem}.sh contains "{{", SSM's mark of a parameter reference`);
  const content = {
    schemaVersion: '2.2',
    description,
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, parameter]) => [
        name,
        { type: 'String', interpolationType: 'ENV_VAR', ...parameter },
      ]),
    ),
    mainSteps: [
      {
        action: 'aws:runShellScript',
        name: command,
        precondition: { StringEquals: ['platformType', 'Linux'] },
        inputs: { timeoutSeconds: String(timeoutSeconds), runCommand: script.split('\n') },
      },
    ],
  };
  if (JSON.stringify(content).length > DOCUMENT_LIMIT) {
    throw new Error(`nodes/${stem}.sh does not fit into an SSM document (${DOCUMENT_LIMIT} bytes)`);
  }
  return content;
}
