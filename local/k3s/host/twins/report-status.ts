import {
  allNodes,
  caHash,
  etcdHealth,
  k3sVersion,
  memberList,
  type NodeRow,
  requireReady,
  STATE,
  unitState,
} from './common';
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

/** Of a machine that has failed for good. */
const UNUSABLE = {
  k3s: 'failed',
  etcdHealthy: null,
  apiReady: false,
  dbInfo: null,
  nodes: null,
  caHash: null,
  k3sVersion: null,
};

/** nodes/report-status.sh */
export const reportStatus: Twin = async (shell) => {
  const failure = shell.files.read(`${STATE}/failed`);
  if (failure !== undefined) {
    shell.log(failure.trimEnd());
    return JSON.stringify(UNUSABLE);
  }
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
