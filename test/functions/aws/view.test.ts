import { chooseView, readReport } from '../../../functions/aws/view';
import type { ServerReport } from '../../../functions/cluster/observation';

const PRINTED = {
  k3s: 'active' as const,
  etcdHealthy: true,
  apiReady: true,
  dbInfo: {
    members: [
      { name: 'i-1-0123abcd', peerURLs: ['https://10.0.0.1:2380'] },
      { peerURLs: ['https://10.0.1.1:2380'], isLearner: true },
    ],
  },
  nodes: [],
  caHash: null,
  k3sVersion: null,
};

function report(members: string[], fields: Partial<ServerReport> = {}): ServerReport {
  return {
    k3s: 'active',
    etcdHealthy: true,
    apiReady: true,
    members: members.map((name) => ({ name, address: '10.0.0.1', learner: false })),
    nodes: [],
    caHash: null,
    k3sVersion: null,
    ...fields,
  };
}

describe('a report', () => {
  it('lists members by name and address, also one that was added and never started', () => {
    expect(readReport(PRINTED).members).toEqual([
      { name: 'i-1-0123abcd', address: '10.0.0.1', learner: false },
      { name: '', address: '10.0.1.1', learner: true },
    ]);
  });

  it('without a member list has none', () => {
    expect(readReport({ ...PRINTED, dbInfo: null }).members).toBeNull();
  });
});

describe('the view', () => {
  it('is that of the majority of reporters, whatever order they list things in', () => {
    const reports = new Map([
      ['i-3', report(['a', 'b', 'c'])],
      ['i-1', report(['a', 'b'])],
      ['i-2', report(['c', 'b', 'a'])],
    ]);
    expect(chooseView(reports)).toMatchObject({ reporters: ['i-2', 'i-3'] });
  });

  it('does not change with the order in which servers answered', () => {
    const one: [string, ServerReport] = ['i-1', report(['a'])];
    const two: [string, ServerReport] = ['i-2', report(['b'])];
    expect(chooseView(new Map([two, one]))).toEqual(chooseView(new Map([one, two])));
  });

  it.each([
    ['etcd is not healthy', { etcdHealthy: false }],
    ['nobody knows whether etcd is healthy', { etcdHealthy: null }],
    ['the API is not ready', { apiReady: false }],
    ['there is no member list', { members: null }],
    ['there are no Nodes', { nodes: null }],
  ])('is not taken from a server when %s', (_case, fields) => {
    expect(chooseView(new Map([['i-1', report(['a'], fields)]]))).toBeNull();
  });
});
