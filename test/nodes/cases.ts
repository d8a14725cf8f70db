import { createHash } from 'node:crypto';
import { CA_TEXT, type FakeNode } from './fake-k3s';
import { ADDRESS, INSTANCE, MANIFESTS, type Rig, TOKEN } from './machine';

export interface Case {
  name: string;
  script: 'start-server' | 'report-status' | 'remove-member' | 'apply-manifests';
  parameters?: Record<string, string>;
  /** What the machine and its cluster look like before; user data has finished. */
  given?: (rig: Rig) => void;
  exitCode: number;
  output?: unknown;
  stderr?: RegExp;
  /** The commands that changed K3s, in order. */
  calls?: string[];
  afterwards?: (rig: Rig) => void;
}

export const CA_HASH = createHash('sha256').update(CA_TEXT).digest('hex');
const OTHER_HASH = 'f'.repeat(64);
const VERSION = 'v1.33.5+k3s1';
const DEAD = 'i-0dead000000000000';
const DEAD_ADDRESS = '127.77.1.9';
const CONFIG = '/etc/rancher/k3s/config.yaml.d/50-cluster.yaml';
const FAILED = '/var/lib/k3s-ha/failed';
const TOKEN_FILE = '/etc/rancher/k3s/cluster-token';

const STARTED = { ready: true, voter: true, caHash: CA_HASH, k3sVersion: VERSION };
const INIT = { mode: 'init', peerAddress: '', caHash: '' };
const JOIN = { mode: 'join', peerAddress: '127.77.1.2', caHash: CA_HASH };
const START = ['systemctl enable k3s.service', 'systemctl start --no-block k3s.service'];
const GIVEN_UP = [...START, 'systemctl disable k3s.service', 'systemctl stop --no-block k3s.service'];

const serving = ({ k3s, files }: Rig) => k3s.serve({ files }, INSTANCE, ADDRESS);

/** K3s becomes a voter 40 s after it was started. */
const startsWell = (rig: Rig) => {
  rig.k3s.onStart = () => {
    rig.k3s.log('this server has not yet been promoted from learner to voting member');
    rig.clock.after(40_000, () => serving(rig));
  };
};

const logs = (text: string) => (rig: Rig) => {
  rig.k3s.onStart = () => void rig.clock.after(5_000, () => rig.k3s.log(text));
};

/** This server is healthy; another one died. */
const withDead = (node: Partial<FakeNode> | undefined, member: string | undefined) => (rig: Rig) => {
  serving(rig);
  if (node) {
    const defaults = { name: DEAD, ready: 'Unknown', voter: 'True', address: DEAD_ADDRESS, peer: DEAD_ADDRESS, member };
    rig.k3s.nodes.push({ ...defaults, ...node });
  }
  if (member !== undefined) rig.k3s.members.push({ name: member, address: DEAD_ADDRESS });
};

const REMOVE = { nodeName: DEAD, address: DEAD_ADDRESS };
const DELETE = `kubectl delete node ${DEAD} --ignore-not-found --wait=false`;
const PATCH = `kubectl patch node ${DEAD} --type=merge --patch={"metadata":{"finalizers":null}}`;
const CREATE = 'kubectl create --filename=/var/lib/k3s-ha/departed-node.yaml';

const APPLY = {
  manifestsUri: 's3://assets/manifests.yaml',
  manifestsSha256: createHash('sha256').update(MANIFESTS).digest('hex'),
};

const APPLIED = 'kubectl apply --server-side --force-conflicts --filename=/var/lib/k3s-ha/manifests.yaml';
const NOTE = 'kubectl annotate configmap k3s-ha-aws-manifests --namespace=kube-system';

export const CASES: Case[] = [
  {
    name: 'a first server starts a cluster with the short token',
    script: 'start-server',
    parameters: INIT,
    given: startsWell,
    exitCode: 0,
    output: STARTED,
    calls: START,
    afterwards: ({ files }) => {
      expect(files.read(CONFIG)).toBe(`cluster-init: true\ntoken-file: ${TOKEN_FILE}\n`);
      expect(files.read(TOKEN_FILE)).toBe(`${TOKEN}\n`);
    },
  },
  {
    name: 'a joiner always has a peer and the secure token',
    script: 'start-server',
    parameters: JOIN,
    given: startsWell,
    exitCode: 0,
    output: STARTED,
    calls: START,
    afterwards: ({ files }) => {
      expect(files.read(CONFIG)).toBe(`server: https://127.77.1.2:6443\ntoken-file: ${TOKEN_FILE}\n`);
      expect(files.read(TOKEN_FILE)).toBe(`K10${CA_HASH}::server:${TOKEN}\n`);
    },
  },
  {
    name: 'a voter is left as it is',
    script: 'start-server',
    parameters: JOIN,
    given: serving,
    exitCode: 0,
    output: STARTED,
    calls: [],
  },
  {
    name: 'a voter of another cluster is not taken for ours',
    script: 'start-server',
    parameters: { ...JOIN, caHash: OTHER_HASH },
    given: serving,
    exitCode: 1,
    stderr: /belongs to another cluster/,
  },
  {
    name: 'init refuses a peer',
    script: 'start-server',
    parameters: { ...JOIN, mode: 'init' },
    exitCode: 1,
    stderr: /second cluster/,
    calls: [],
  },
  {
    name: 'join refuses to start without a peer',
    script: 'start-server',
    parameters: { ...JOIN, peerAddress: '' },
    exitCode: 1,
    stderr: /join needs peerAddress/,
    calls: [],
  },
  {
    name: 'a mode that is none is refused',
    script: 'start-server',
    parameters: { ...JOIN, mode: 'reset' },
    exitCode: 1,
    stderr: /mode must be init or join, is reset/,
    calls: [],
  },
  {
    name: 'a machine that was told to join never starts a cluster',
    script: 'start-server',
    parameters: INIT,
    given: ({ files }) => files.write('/var/lib/k3s-ha/mode', 'join\n'),
    exitCode: 1,
    stderr: /told to join before and cannot init/,
    calls: [],
  },
  {
    name: 'etcd data that nobody here created is refused',
    script: 'start-server',
    parameters: INIT,
    given: ({ files }) => files.write('/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal', 'data'),
    exitCode: 1,
    stderr: /unknown origin/,
    calls: [],
  },
  {
    name: 'etcd data of another cluster is refused',
    script: 'start-server',
    parameters: { ...JOIN, caHash: OTHER_HASH },
    given: ({ files }) => {
      files.write('/var/lib/k3s-ha/mode', 'join\n');
      files.write('/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal', 'data');
      files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', CA_TEXT);
    },
    exitCode: 1,
    stderr: /etcd data of another cluster/,
    calls: [],
  },
  {
    name: 'a server with etcd data is started again as it was',
    script: 'start-server',
    parameters: JOIN,
    given: (rig) => {
      rig.files.write('/var/lib/k3s-ha/mode', 'init\n');
      rig.files.write('/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal', 'data');
      startsWell(rig);
    },
    exitCode: 0,
    output: STARTED,
    calls: START,
    afterwards: ({ files }) => expect(files.read(CONFIG)).toBeUndefined(),
  },
  {
    name: 'a joiner whose peer changed is restarted with the new one',
    script: 'start-server',
    parameters: JOIN,
    given: (rig) => {
      rig.files.write('/var/lib/k3s-ha/mode', 'join\n');
      rig.files.write(CONFIG, `server: https://127.77.1.3:6443\ntoken-file: ${TOKEN_FILE}\n`);
      rig.k3s.unit = 'activating';
      startsWell(rig);
    },
    exitCode: 0,
    output: STARTED,
    calls: ['systemctl enable k3s.service', 'systemctl restart --no-block k3s.service'],
  },
  {
    name: 'too many learners is tried again',
    script: 'start-server',
    parameters: JOIN,
    given: logs('joining etcd cluster: etcdserver: too many learner members in cluster'),
    exitCode: 75,
    stderr: /too many learner members/,
    calls: START,
  },
  {
    name: 'an unhealthy cluster is tried again',
    script: 'start-server',
    parameters: JOIN,
    given: logs('joining etcd cluster: etcdserver: unhealthy cluster'),
    exitCode: 75,
    calls: START,
  },
  {
    name: 'a wrong token is permanent and K3s is stopped',
    script: 'start-server',
    parameters: JOIN,
    given: logs(
      'starting kubernetes: preparing server: https://127.77.1.2:6443/v1-k3s/server-bootstrap: 401 Unauthorized',
    ),
    exitCode: 1,
    stderr: /401 Unauthorized/,
    calls: GIVEN_UP,
    afterwards: ({ files }) => expect(files.read(FAILED)).toMatch(/^K3s cannot join: .*401 Unauthorized\n$/),
  },
  {
    name: 'a machine on which K3s has failed for good is not tried again',
    script: 'start-server',
    parameters: JOIN,
    given: ({ files }) => files.write(FAILED, 'K3s cannot join: 401 Unauthorized\n'),
    exitCode: 1,
    stderr: /^error: K3s cannot join: 401 Unauthorized$/m,
    calls: [],
  },
  {
    name: 'a server with etcd data may be a voter and is not marked as failed',
    script: 'start-server',
    parameters: JOIN,
    given: (rig) => {
      rig.files.write('/var/lib/k3s-ha/mode', 'join\n');
      rig.files.write('/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal', 'data');
      logs('critical configuration value mismatch')(rig);
    },
    exitCode: 1,
    calls: GIVEN_UP,
    afterwards: ({ files }) => expect(files.read(FAILED)).toBeUndefined(),
  },
  {
    name: 'unequal critical settings are permanent',
    script: 'start-server',
    parameters: JOIN,
    given: logs('failed to validate server configuration: critical configuration value mismatch'),
    exitCode: 1,
    stderr: /critical configuration value mismatch/,
    calls: GIVEN_UP,
  },
  {
    name: 'its own stale node password is permanent',
    script: 'start-server',
    parameters: JOIN,
    given: logs(`unable to verify hash for node '${INSTANCE}': hash does not match`),
    exitCode: 1,
    stderr: /hash does not match/,
    calls: GIVEN_UP,
  },
  {
    name: "another node's password does not matter",
    script: 'start-server',
    parameters: JOIN,
    given: logs("unable to verify hash for node 'i-0fffffffffffffff0': hash does not match"),
    exitCode: 75,
    calls: START,
  },
  {
    name: 'a removed member does not come back, and says so although it has etcd data',
    script: 'start-server',
    parameters: JOIN,
    given: (rig) => {
      rig.files.write('/var/lib/k3s-ha/mode', 'join\n');
      rig.files.write('/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal', 'data');
      logs('the member has been permanently removed from the cluster')(rig);
    },
    exitCode: 1,
    stderr: /permanently removed/,
    calls: GIVEN_UP,
    afterwards: ({ files }) => expect(files.read(FAILED)).toMatch(/^K3s cannot join: .*permanently removed/),
  },
  {
    name: 'an error of an earlier attempt is history',
    script: 'start-server',
    parameters: JOIN,
    given: (rig) => {
      rig.k3s.journal.push({ at: rig.clock.now() - 60_000, text: 'critical configuration value mismatch' });
      startsWell(rig);
    },
    exitCode: 0,
    output: STARTED,
  },
  {
    name: 'a Node that is Ready but no voter yet is not enough',
    script: 'start-server',
    parameters: JOIN,
    given: (rig) => {
      rig.k3s.onStart = () => {
        rig.k3s.api = true;
        rig.k3s.nodes.push({ name: INSTANCE, ready: 'True', voter: 'False', member: 'host-1' });
      };
    },
    exitCode: 75,
    stderr: /not Ready and a voter after 100 s/,
  },
  {
    name: 'a Node that is Ready while its member is still a learner has not joined yet',
    script: 'start-server',
    parameters: JOIN,
    given: (rig) => {
      serving(rig);
      rig.files.write('/var/lib/k3s-ha/mode', 'join\n');
      const [member] = rig.k3s.members;
      member!.learner = true;
      rig.k3s.onStart = () =>
        void rig.clock.after(5_000, () => {
          member!.learner = false;
        });
    },
    exitCode: 0,
    output: STARTED,
    calls: START,
  },
  {
    name: 'a secret that does not exist is permanent',
    script: 'start-server',
    parameters: INIT,
    given: ({ aws }) => {
      aws.error = { status: 400, code: 'ResourceNotFoundException' };
    },
    exitCode: 1,
    stderr: /cannot read the join token/,
    calls: [],
  },
  {
    name: 'a throttled secret is tried again',
    script: 'start-server',
    parameters: INIT,
    given: ({ aws }) => {
      aws.error = { status: 400, code: 'ThrottlingException' };
    },
    exitCode: 75,
    stderr: /cannot read the join token/,
    calls: [],
  },
  {
    name: 'a token with a space is refused',
    script: 'start-server',
    parameters: INIT,
    given: ({ aws }) => {
      aws.token = 'two words';
    },
    exitCode: 1,
    stderr: /empty or contains spaces/,
    calls: [],
  },
  {
    name: 'a server before init reports what it knows',
    script: 'report-status',
    exitCode: 0,
    output: {
      k3s: 'inactive',
      etcdHealthy: null,
      apiReady: false,
      dbInfo: null,
      nodes: null,
      caHash: null,
      k3sVersion: VERSION,
    },
    calls: [],
  },
  {
    name: 'a machine whose user data has failed reports that K3s has failed',
    script: 'report-status',
    given: ({ files }) => files.write(FAILED, 'user data failed: downloading K3s failed 5 times\n'),
    exitCode: 0,
    output: {
      k3s: 'failed',
      etcdHealthy: null,
      apiReady: false,
      dbInfo: null,
      nodes: null,
      caHash: null,
      k3sVersion: null,
    },
    stderr: /^user data failed: downloading K3s failed 5 times$/m,
    calls: [],
  },
  {
    name: 'a machine whose user data was cut short reports that it is preparing',
    script: 'report-status',
    given: ({ files }) => files.remove('/var/lib/k3s-ha/ready'),
    exitCode: 0,
    output: {
      k3s: 'preparing',
      etcdHealthy: null,
      apiReady: false,
      dbInfo: null,
      nodes: null,
      caHash: null,
      k3sVersion: null,
    },
    stderr: /^user data has not finished$/m,
    calls: [],
  },
  {
    name: 'a healthy server reports its view of the cluster',
    script: 'report-status',
    given: (rig) => {
      serving(rig);
      rig.k3s.nodes.push(
        { name: DEAD, ready: 'Unknown', voter: 'True', deleting: '2026-01-01T00:00:00Z', address: DEAD_ADDRESS },
        { name: 'i-0new0000000000000', peer: '127.77.1.4', member: '' },
      );
      rig.k3s.members.push({ name: '', address: '127.77.1.4' });
    },
    exitCode: 0,
    output: {
      k3s: 'active',
      etcdHealthy: true,
      apiReady: true,
      dbInfo: {
        members: [
          expect.objectContaining({ name: 'host-1', peerURLs: [`https://${ADDRESS}:2380`] }),
          expect.objectContaining({ peerURLs: ['https://127.77.1.4:2380'] }),
        ],
      },
      nodes: [
        { name: INSTANCE, ready: 'True', voter: true, deleting: false, member: 'host-1', address: ADDRESS },
        { name: DEAD, ready: 'Unknown', voter: true, deleting: true, member: null, address: DEAD_ADDRESS },
        {
          name: 'i-0new0000000000000',
          ready: 'Unknown',
          voter: false,
          deleting: false,
          member: null,
          address: '127.77.1.4',
        },
      ],
      caHash: CA_HASH,
      k3sVersion: VERSION,
    },
  },
  {
    name: 'a server without quorum reports that and no member list',
    script: 'report-status',
    given: (rig) => {
      serving(rig);
      rig.k3s.unit = 'activating';
      rig.k3s.etcd = false;
      rig.k3s.api = false;
    },
    exitCode: 0,
    output: {
      k3s: 'activating',
      etcdHealthy: false,
      apiReady: false,
      dbInfo: null,
      nodes: null,
      caHash: CA_HASH,
      k3sVersion: VERSION,
    },
  },
  {
    name: 'a member list that K3s cannot give is unknown, not empty',
    script: 'report-status',
    given: (rig) => {
      serving(rig);
      rig.k3s.refuseDbInfo = true;
    },
    exitCode: 0,
    output: expect.objectContaining({ etcdHealthy: true, apiReady: true, dbInfo: null }),
  },
  {
    name: 'a dead server is removed by deleting its Node',
    script: 'remove-member',
    parameters: REMOVE,
    given: withDead({}, 'host-9'),
    exitCode: 0,
    output: { removed: true },
    calls: [DELETE],
  },
  {
    name: 'removing what is not there succeeds and changes nothing',
    script: 'remove-member',
    parameters: REMOVE,
    given: serving,
    exitCode: 0,
    output: { removed: true },
    calls: [],
  },
  {
    name: 'a member without a Node is removed through a Node made for it',
    script: 'remove-member',
    parameters: REMOVE,
    given: withDead(undefined, 'host-9'),
    exitCode: 0,
    output: { removed: true },
    calls: [CREATE, DELETE],
  },
  {
    name: 'a learner that never started has no name and is removed all the same',
    script: 'remove-member',
    parameters: REMOVE,
    given: withDead(undefined, ''),
    exitCode: 0,
    output: { removed: true },
    calls: [CREATE, DELETE],
  },
  {
    name: 'a member is found by the name of its server when no address is known',
    script: 'remove-member',
    parameters: { nodeName: DEAD, address: '' },
    given: withDead(undefined, `${DEAD}-1a2b3c4d`),
    exitCode: 0,
    output: { removed: true },
    calls: [CREATE, DELETE],
  },
  {
    name: 'a left-over finalizer is cleared once the member is gone',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({}, 'host-9')(rig);
      rig.k3s.onDelete = (node) => {
        node.deleting = '2026-01-01T00:00:00Z';
        rig.k3s.members = rig.k3s.members.filter(({ name }) => name !== 'host-9');
      };
    },
    exitCode: 0,
    output: { removed: true },
    calls: [DELETE, PATCH],
  },
  {
    name: 'a Node that does not name its member gives way to one that does',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({ member: undefined, peer: undefined }, 'host-9')(rig);
      const remove = rig.k3s.onDelete;
      rig.k3s.onDelete = (node) => {
        if (node.member === undefined) node.deleting = '2026-01-01T00:00:00Z';
        else remove(node);
      };
    },
    exitCode: 0,
    output: { removed: true },
    calls: [DELETE, PATCH, CREATE, DELETE],
  },
  {
    name: 'a member that stays is tried again later',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({}, 'host-9')(rig);
      rig.k3s.onDelete = (node) => {
        node.deleting = '2026-01-01T00:00:00Z';
      };
    },
    exitCode: 75,
    stderr: /still there after 60 s/,
  },
  {
    name: 'the API server may fall silent between two steps of a removal',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({}, 'host-9')(rig);
      rig.k3s.onDelete = () => {
        rig.k3s.api = false;
      };
    },
    exitCode: 75,
    stderr: /the API server does not answer/,
    calls: [DELETE],
  },
  {
    name: 'nothing is removed without a quorum',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({}, 'host-9')(rig);
      rig.k3s.etcd = false;
    },
    exitCode: 75,
    calls: [],
  },
  {
    name: 'nothing is removed while the API server does not answer',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({}, 'host-9')(rig);
      rig.k3s.api = false;
    },
    exitCode: 75,
    stderr: /the API server does not answer/,
    calls: [],
  },
  {
    name: 'a member that another Node names as its own is not taken for the dead one by its address',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({ member: undefined }, 'host-9')(rig);
      rig.k3s.nodes.push({ name: 'i-0new0000000000000', ready: 'Unknown', address: DEAD_ADDRESS, member: 'host-9' });
    },
    exitCode: 0,
    output: { removed: true },
    calls: [DELETE],
  },
  {
    name: 'a member whose name is that of another server is not taken for the dead one by its address',
    script: 'remove-member',
    parameters: REMOVE,
    given: withDead(undefined, 'i-0abcdef0123456789-1a2b3c4d'),
    exitCode: 0,
    output: { removed: true },
    calls: [],
  },
  {
    name: 'a member of which another Node that is Ready says that it is its own stays',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({}, 'host-9')(rig);
      rig.k3s.nodes.push({ name: 'i-0new0000000000000', ready: 'True', address: DEAD_ADDRESS, member: 'host-9' });
    },
    exitCode: 1,
    stderr: /the member host-9 of i-0dead000000000000 is the one of the Node i-0new0000000000000, which is Ready/,
    calls: [],
  },
  {
    name: 'a Node that stays Ready is not removed',
    script: 'remove-member',
    parameters: REMOVE,
    given: withDead({ ready: 'True' }, 'host-9'),
    exitCode: 1,
    stderr: /stays Ready/,
    calls: [],
  },
  {
    name: 'a Node that still says Ready for a while after its death is removed then',
    script: 'remove-member',
    parameters: REMOVE,
    given: (rig) => {
      withDead({ ready: 'True' }, 'host-9')(rig);
      rig.clock.after(30_000, () => {
        rig.k3s.nodes.find(({ name }) => name === DEAD)!.ready = 'Unknown';
      });
    },
    exitCode: 0,
    output: { removed: true },
    calls: [DELETE],
  },
  {
    name: 'a server does not remove itself, whatever its Node says',
    script: 'remove-member',
    parameters: { nodeName: INSTANCE, address: '' },
    given: (rig) => {
      serving(rig);
      rig.k3s.nodes[0]!.ready = 'Unknown';
    },
    exitCode: 1,
    stderr: /does not remove itself/,
    calls: [],
  },
  {
    name: 'manifests are applied and counted',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      const stdout = 'namespace/a serverside-applied\nservice/b serverside-applied\n';
      rig.k3s.apply = { exitCode: 0, stdout, stderr: '' };
    },
    exitCode: 0,
    output: { applied: 2, pruned: 0 },
    calls: [APPLIED],
  },
  {
    name: 'the manifests are done when Traefik is ready on every server',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.traefik = ['', '/', '0/0', '2/3', '3/3'];
    },
    exitCode: 0,
    output: { applied: 0, pruned: 0 },
    calls: [APPLIED],
    afterwards: ({ k3s }) => expect(k3s.traefik).toEqual(['3/3']),
  },
  {
    name: 'a Traefik that misses a server is waited for again later',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.traefik = ['2/3'];
    },
    exitCode: 75,
    stderr: /Traefik is not ready on every server after 60 s: 2\/3/,
  },
  {
    name: 'manifests that were applied before are applied again, and nothing is deleted',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.inventory = 'Deployment.apps web a\nService - b\n';
    },
    exitCode: 0,
    output: { applied: 0, pruned: 0 },
    calls: [APPLIED],
  },
  {
    name: 'what went from the manifests is noted, and deleted after they were applied',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.inventory =
        'Service - b\nDeployment.apps web old\nClusterIssuer.cert-manager.io - issuer\nConfigMap web c\n';
      rig.k3s.prune = {
        'Deployment.apps old': { exitCode: 0, stdout: 'deployment.apps "old" deleted\n', stderr: '' },
        'ClusterIssuer.cert-manager.io issuer': {
          exitCode: 1,
          stdout: '',
          stderr: 'error: the server doesn\'t have a resource type "ClusterIssuer"\n',
        },
      };
    },
    exitCode: 0,
    output: { applied: 0, pruned: 1 },
    calls: [
      `${NOTE} --overwrite k3s-ha-aws/to-delete=ClusterIssuer.cert-manager.io - issuer,ConfigMap web c,Deployment.apps web old`,
      APPLIED,
      'kubectl delete ClusterIssuer.cert-manager.io --selector=k3s-ha-aws/manifests --field-selector=metadata.name=issuer --wait=false',
      'kubectl delete ConfigMap --namespace=web --selector=k3s-ha-aws/manifests --field-selector=metadata.name=c --wait=false',
      'kubectl delete Deployment.apps --namespace=web --selector=k3s-ha-aws/manifests --field-selector=metadata.name=old --wait=false',
      `${NOTE} k3s-ha-aws/to-delete-`,
    ],
  },
  {
    name: 'what a run before did not get to delete is deleted, unless it came back',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.inventory = 'Service - b\nDeployment.apps web a\n\nService - old,Service - b';
      rig.k3s.prune = { 'Service old': { exitCode: 0, stdout: 'service "old" deleted\n', stderr: '' } };
    },
    exitCode: 0,
    output: { applied: 0, pruned: 1 },
    calls: [
      `${NOTE} --overwrite k3s-ha-aws/to-delete=Service - old`,
      APPLIED,
      'kubectl delete Service --selector=k3s-ha-aws/manifests --field-selector=metadata.name=old --wait=false',
      `${NOTE} k3s-ha-aws/to-delete-`,
    ],
  },
  {
    name: 'nothing is deleted when the manifests cannot be applied',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.inventory = 'Service - old\n';
      rig.k3s.apply = { exitCode: 1, stdout: '', stderr: 'error: spec.replicas: Invalid value: -1\n' };
    },
    exitCode: 1,
    calls: [`${NOTE} --overwrite k3s-ha-aws/to-delete=Service - old`, APPLIED],
  },
  {
    name: 'a deletion that fails is tried again, and stays noted',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.inventory = 'Service - old\n';
      const stderr = 'Error from server: etcdserver: request timed out\n';
      rig.k3s.prune = { 'Service old': { exitCode: 1, stdout: '', stderr } };
    },
    exitCode: 75,
    stderr: /does not delete Service old/,
    calls: [
      `${NOTE} --overwrite k3s-ha-aws/to-delete=Service - old`,
      APPLIED,
      'kubectl delete Service --selector=k3s-ha-aws/manifests --field-selector=metadata.name=old --wait=false',
    ],
  },
  {
    name: 'without an API server that answers, manifests are tried again',
    script: 'apply-manifests',
    parameters: APPLY,
    exitCode: 75,
    calls: [],
  },
  {
    name: 'the echo image comes from the repository of the account',
    script: 'apply-manifests',
    parameters: { ...APPLY, echoRepository: '123456789012.dkr.ecr.eu-west-3.amazonaws.com/echo' },
    given: serving,
    exitCode: 0,
    output: { applied: 0, pruned: 0 },
    afterwards: ({ k3s }) => {
      const repository = '123456789012.dkr.ecr.eu-west-3.amazonaws.com/echo';
      expect(k3s.applied).toBe(MANIFESTS.replace('repository.invalid/tcpecho', repository));
      expect(k3s.applied).toContain(`image: ${repository}:1a2b\n`);
    },
  },
  {
    name: 'a repository is text, whatever is in it',
    script: 'apply-manifests',
    parameters: { ...APPLY, echoRepository: 'a&b\\1$(id)"' },
    given: serving,
    exitCode: 0,
    output: { applied: 0, pruned: 0 },
    afterwards: ({ k3s }) => expect(k3s.applied).toContain('image: a&b\\1$(id)":1a2b\n'),
  },
  {
    name: 'without a repository the manifests are applied as they are',
    script: 'apply-manifests',
    parameters: { ...APPLY, echoRepository: '' },
    given: serving,
    exitCode: 0,
    output: { applied: 0, pruned: 0 },
    afterwards: ({ k3s }) => expect(k3s.applied).toBe(MANIFESTS),
  },
  {
    name: 'manifests with another checksum are not applied',
    script: 'apply-manifests',
    parameters: { ...APPLY, manifestsSha256: OTHER_HASH },
    given: serving,
    exitCode: 1,
    stderr: /the checksum of .* expected f/,
    calls: [],
  },
  {
    name: 'a download that S3 refuses for a while is tried again',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.aws.error = { status: 503, code: 'SlowDown' };
    },
    exitCode: 75,
    stderr: /cannot read s3:/,
    calls: [],
  },
  {
    name: 'manifests that do not exist are a permanent error',
    script: 'apply-manifests',
    parameters: { ...APPLY, manifestsUri: 's3://assets/other.yaml' },
    given: serving,
    exitCode: 1,
    stderr: /cannot read s3:\/\/assets\/other.yaml/,
  },
  {
    name: 'a kind that is not defined yet is tried again',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.apply = { exitCode: 1, stdout: '', stderr: 'no matches for kind "HelmChartConfig" in version "v1"\n' };
    },
    exitCode: 75,
  },
  {
    name: 'a manifest that the API server refuses is permanent',
    script: 'apply-manifests',
    parameters: APPLY,
    given: (rig) => {
      serving(rig);
      rig.k3s.apply = { exitCode: 1, stdout: '', stderr: 'error: spec.replicas: Invalid value: -1\n' };
    },
    exitCode: 1,
    stderr: /does not take the manifests/,
  },
];
