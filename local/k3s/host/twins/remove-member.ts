import { z } from 'zod';
import { allNodes, kubectl, memberList, type NodeRow, now, oneNode, parameter, requireReady, STATE } from './common';
import type { Shell, Twin } from './shell';

/** Seconds. */
const WAIT = 60;
const STILL_READY = 60;

const MEMBERS = z.object({
  members: z.array(z.object({ name: z.string().default(''), peerURLs: z.array(z.string()) })),
});

interface Member {
  name: string;
  address: string;
}

async function findMember(shell: Shell, node: string, address: string, known: string | null) {
  const list = await memberList(shell);
  if (list === undefined) shell.again('etcd is not healthy: removing a member needs a quorum');
  const members = MEMBERS.parse(JSON.parse(list)).members.map(({ name, peerURLs: [url = ''] }) => ({
    name,
    address: /^https?:\/\/([0-9.]+):/.exec(url)?.[1] ?? '',
  }));
  const nodes = (await allNodes(shell)) ?? shell.again('the API server does not answer');
  const owner = ({ name }: Member) => nodes.find((other) => name && other.member === name && other.name !== node);
  const anonymous = (member: Member) => !owner(member) && !/^i-[0-9a-f]{8,17}-/.test(member.name);
  const found = members.find(
    (member) =>
      (known && member.name === known) ||
      member.name.startsWith(`${node}-`) ||
      (member.address === address && anonymous(member)),
  );
  const other = found && owner(found);
  if (found && other?.ready === 'True') {
    shell.fail(`the member ${found.name} of ${node} is the one of the Node ${other.name}, which is Ready`);
  }
  return found;
}

async function createNode(shell: Shell, name: string, member: Member): Promise<void> {
  const file = `${STATE}/departed-node.yaml`;
  const lines = ['apiVersion: v1', 'kind: Node', 'metadata:', `  name: ${name}`, '  labels:'];
  lines.push('    node-role.kubernetes.io/etcd: "true"', '  annotations:');
  lines.push(`    etcd.k3s.cattle.io/node-name: "${member.name}"`);
  lines.push(`    etcd.k3s.cattle.io/node-address: "${member.address}"`, 'spec:', '  unschedulable: true', '');
  shell.files.write(file, lines.join('\n'));
  await kubectl(shell, 'create', `--filename=${file}`);
  shell.files.remove(file);
}

/** nodes/remove-member.sh */
export const removeMember: Twin = async (shell) => {
  const name = parameter(shell, 'nodeName');
  let address = shell.env.SSM_address ?? '';
  const { INSTANCE_ID } = requireReady(shell);
  if (name === INSTANCE_ID) shell.fail('a server does not remove itself: K3s would need its own etcd to do it');

  const findNode = async (): Promise<NodeRow | null> => {
    const node = await oneNode(shell, name);
    address ||= node?.address ?? node?.peer ?? '';
    return node === undefined ? shell.again('the API server does not answer') : node;
  };

  let started = await now(shell);
  let node = await findNode();
  while (node?.ready === 'True' && !node.deleting) {
    if ((await now(shell)) - started >= STILL_READY) {
      shell.fail(`the Node ${name} stays Ready: its server may be alive`);
    }
    await shell.must('sleep', '5');
    node = await findNode();
  }

  started = await now(shell);
  for (;;) {
    const member = await findMember(shell, name, address, node?.member ?? null);
    if (!node && !member) return JSON.stringify({ removed: true });
    if ((await now(shell)) - started >= WAIT) {
      shell.again(`the Node or the member of ${name} is still there after ${WAIT} s`);
    }
    if (!node) {
      if (member) await createNode(shell, name, member);
    } else if (!node.deleting) {
      await kubectl(shell, 'delete', 'node', name, '--ignore-not-found', '--wait=false');
    } else if (!member || node.member === null) {
      await kubectl(shell, 'patch', 'node', name, '--type=merge', '--patch={"metadata":{"finalizers":null}}');
    }
    await shell.must('sleep', '2');
    node = await findNode();
  }
};
