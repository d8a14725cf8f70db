import { allNodes, caHash, etcdHealth, k3sVersion, memberList, type NodeRow, requireReady, unitState } from './common';
import type { Twin } from './shell';

const READY = ['True', 'False'];

const report = ({ name, ready, voter, deleting, member, address, peer }: NodeRow) => ({
  name,
  ready: ready && READY.includes(ready) ? ready : 'Unknown',
  voter: voter === 'True',
  deleting,
  member: member || null,
  address: address ?? peer,
});

/** nodes/report-status.sh */
export const reportStatus: Twin = async (shell) => {
  requireReady(shell);
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
