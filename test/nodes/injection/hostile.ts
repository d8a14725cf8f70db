/** Values that somebody could try to smuggle into a node command. */
import { createHash } from 'node:crypto';
import { SCRIPT, type Script } from '../../../functions/contracts';
import { NODE_COMMANDS } from '../../../infra/lib/documents';
import { CA_HASH } from '../cases';
import { MANIFESTS } from '../machine';

/**
 * What a shell, `eval`, arithmetic or an option parser would act on: each makes the canary exist if it is ever more than
 * text. A redirection needs no program, so none has to be in the way of it.
 */
export function commands(canary: string): string[] {
  return [
    `$(>${canary})`,
    `\`>${canary}\``,
    `;>${canary};`,
    `x;>${canary}`,
    `|>${canary}|`,
    `&&>${canary}`,
    `>${canary}`,
    `\n>${canary}\n`,
    `x\r\n>${canary}`,
    `";>${canary};"`,
    `';>${canary};'`,
    `\\";>${canary};\\"`,
    `"$(>${canary})"`,
    `'$(>${canary})'`,
    `a[$(>${canary})]`,
    `a[\`>${canary}\`]=1`,
    `\${x:=$(>${canary})}`,
    `<(>${canary})`,
    `} ; >${canary} #`,
    `END\n>${canary}\nEND`,
    `init\n>${canary}`,
    `127.77.1.2\n>${canary}`,
    `i-0dead000000000000;>${canary}`,
    `s3://assets/manifests.yaml;>${canary}`,
    `--output=${canary}`,
    `-o${canary}`,
    `--kubeconfig=${canary}`,
    `@${canary}`,
    `file://${canary}`,
  ];
}

/** What is not a command and still not what anybody expects. */
export const CURIOSITIES: readonly string[] = [
  '',
  ' ',
  '\t',
  '\n',
  '-',
  '--',
  '--help',
  '--all',
  '-rf /',
  '*',
  '/*',
  '?',
  '[a-z]*',
  '{a,b}',
  '~',
  '~root',
  '$HOME',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell that would fill it in.
  '${IFS}',
  '$$',
  '!!',
  '%s%s%n',
  '{{ mode }}',
  '{{ssm:/secret}}',
  '\\',
  '\\n',
  "'",
  '"',
  'null',
  'undefined',
  'None',
  'nil',
  'NaN',
  'true',
  '0',
  '-1',
  '<none>',
  '../../../etc/passwd',
  '/etc/shadow',
  // Digits and letters that only look like ours, direction marks, something that is not one character.
  '１２７.０.０.１',
  'іnit',
  'init\u202e',
  'init\u0001',
  '👩‍💻',
  'A\u030a',
  // As long as SSM takes a parameter at all.
  'A'.repeat(64 * 1024),
  '0'.repeat(64 * 1024),
];

/** Parameters with which each command does its work. */
export const VALID: Readonly<Record<Script, Readonly<Record<string, string>>>> = {
  StartServer: { mode: 'join', peerAddress: '127.77.1.2', caHash: CA_HASH },
  ReportStatus: {},
  RemoveMember: { nodeName: 'i-0dead000000000000', address: '127.77.1.9' },
  ApplyManifests: {
    manifestsUri: 's3://assets/manifests.yaml',
    manifestsSha256: createHash('sha256').update(MANIFESTS).digest('hex'),
    echoRepository: '123456789012.dkr.ecr.eu-west-3.amazonaws.com/echo',
  },
};
export const PARAMETERS = SCRIPT.options.flatMap((command) =>
  Object.keys(NODE_COMMANDS[command].parameters).map((name) => [command, name] as const),
);
