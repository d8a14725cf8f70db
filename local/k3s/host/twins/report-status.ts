import { allNodes, caHash, etcdHealth, k3sVersion, memberList, type NodeRow, STATE, unitState } from './common';
import type { Shell, Twin } from './shell';

const READY = ['True', 'False'];

const report = ({ name, ready, voter, deleting, member, address, peer }: NodeRow) => ({
  name,
  ready: ready && READY.includes(ready) ? ready : 'Unknown',
  voter: voter === 'True',
  deleting,
  member: member || null,
  address: address ?? peer,
});

/** Of a machine on which K3s does not run. */
function reportWithoutK3s(shell: Shell, k3s: 'failed' | 'preparing', why: string): string {
  shell.log(why);
  const unknown = { dbInfo: null, nodes: null, caHash: null, k3sVersion: null };
  return JSON.stringify({ k3s, etcdHealthy: null, apiReady: false, ...unknown });
}

/** nodes/report-status.sh */
export const reportStatus: Twin = async (shell) => {
  const failure = shell.files.read(`${STATE}/failed`);
  if (failure !== undefined) return reportWithoutK3s(shell, 'failed', failure.trimEnd());
  if (shell.files.read(`${STATE}/ready`) === undefined) {
    return reportWithoutK3s(shell, 'preparing', 'user data has not finished');
  }
  const k3s = await unitState(shell);
  const etcdHealthy = await etcdHealth(shell);
  const members = await memberList(shell);
  const nodes = await allNodes(shell);
  return JSON.stringify({
    k3s,
    etcdHealthy,
    apiReady: nodes !== undefined,
    dbInfo: members === undefined ? null : (JSON.parse(members) as unknown),
    nodes: nodes?.map(report) ?? null,
    caHash: caHash(shell) || null,
    k3sVersion: (await k3sVersion(shell)) ?? null,
  });
};
