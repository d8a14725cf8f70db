/** Guards of the workflow: its order, what it retries, and that failure stays failure. */
import type { Guard } from '../guard';

const CLUSTER = 'statemachine/cluster.asl.json';
const DELETE = 'statemachine/delete-cluster.asl.json';
const TESTS = ['test/statemachine/cluster.test.ts'];

export const WORKFLOW: readonly Guard[] = [
  {
    name: 'launch-before-retiring',
    rules: [4],
    without: 'a server is retired although its successor could not be launched',
    file: CLUSTER,
    before: '"Condition": "{% $count($launchFailures) = 0 %}"',
    after: '"Condition": "{% true %}"',
    tests: TESTS,
  },
  {
    name: 'retire-one-by-one',
    rules: [2, 4],
    without: 'several servers are retired at the same time',
    file: CLUSTER,
    before: '"Items": "{% $plan.retire %}",\n      "MaxConcurrency": 1,',
    after: '"Items": "{% $plan.retire %}",\n      "MaxConcurrency": 5,',
    tests: TESTS,
  },
  {
    name: 'join-one-by-one',
    rules: [2, 4],
    without: 'several machines join at the same time, and etcd refuses all but one',
    file: CLUSTER,
    before: '"Items": "{% [$joiners] %}",\n              "MaxConcurrency": 1,',
    after: '"Items": "{% [$joiners] %}",\n              "MaxConcurrency": 5,',
    tests: TESTS,
  },
  {
    name: 'look-before-deregistering',
    rules: [3, 4],
    without: 'a server loses its traffic before it is known that it must leave',
    file: CLUSTER,
    before: '"StartAt": "TerminateServer",',
    after: '"StartAt": "DeregisterTargets",',
    also: [
      { before: '"Next": "DeregisterTargets"', after: '"Next": "IsSwapped"' },
      { before: '"Next": "AwaitTerminated"', after: '"Next": "TerminateServer"' },
      { before: '"Next": "IsSwapped"', after: '"Next": "AwaitTerminated"' },
    ],
    tests: TESTS,
  },
  {
    name: 'fence-before-removal',
    rules: [4],
    without: 'a member is removed while its machine may still run',
    file: CLUSTER,
    before: '"Next": "AwaitTerminated"',
    after: '"Next": "IsSwapped"',
    also: [
      { before: '"Next": "IsMember"', after: '"Next": "ForgetServer"' },
      { before: '"Next": "IsSwapped"', after: '"Next": "IsMember"' },
      { before: '"Default": "ForgetServer"', after: '"Default": "AwaitTerminated"' },
    ],
    tests: TESTS,
  },
  {
    name: 'fence-waits',
    rules: [4],
    without: 'a machine that takes its time to terminate fails the replacement',
    file: CLUSTER,
    before:
      '"ErrorEquals": ["ServerNotYet"],\n                "IntervalSeconds": 3,\n                "BackoffRate": 1,\n                "MaxAttempts": 200',
    after:
      '"ErrorEquals": ["ServerNotYet"],\n                "IntervalSeconds": 3,\n                "BackoffRate": 1,\n                "MaxAttempts": 1',
    tests: TESTS,
  },
  {
    name: 'removal-before-joining',
    rules: [4],
    without: 'a successor is told to join while the dead voter is still a member',
    file: CLUSTER,
    before: '"Condition": "{% $states.input.member %}"',
    after: '"Condition": "{% false %}"',
    tests: TESTS,
  },
  {
    name: 'forget-after-removal',
    rules: [11],
    without: 'a server leaves the inventory while its member stays',
    file: CLUSTER,
    before: '"Next": "RemoveMemberAgain"\n              },',
    after: '"Next": "ForgetServer"\n              },',
    tests: TESTS,
  },
  {
    name: 'latch-before-init',
    rules: [12],
    without: 'K3s starts a cluster although the latch refused',
    file: CLUSTER,
    before: `"Next": "InitFailed"
                }
              ],
              "Next": "StartServerInit"`,
    after: `"Next": "StartServerInit"
                }
              ],
              "Next": "StartServerInit"`,
    tests: TESTS,
  },
  {
    name: 'init-is-completed',
    rules: [12],
    without: 'servers join a cluster that the record calls initialising',
    file: CLUSTER,
    before: `"Next": "InitFailed"
                }
              ],
              "Next": "JoinServers"`,
    after: `"Next": "JoinServers"
                }
              ],
              "Next": "JoinServers"`,
    tests: TESTS,
  },
  {
    name: 'refusal-is-no-success',
    rules: [16],
    without: 'an execution that refused to act succeeds',
    file: CLUSTER,
    before: `"Condition": "{% $verdict = 'converged' %}"`,
    after: `"Condition": "{% $verdict in ['converged', 'refuse'] %}"`,
    tests: TESTS,
  },
  {
    name: 'rounds-are-bounded',
    rules: [8, 16],
    without: 'an execution that does not converge goes on until its time is over',
    file: CLUSTER,
    before: "$verdict = 'converge' and $rounds < 3",
    after: "$verdict = 'converge' and $rounds < 300",
    tests: TESTS,
  },
  {
    name: 'watches-are-bounded',
    rules: [16],
    without: 'an execution that waits for what never comes goes on until its time is over',
    file: CLUSTER,
    before: "$verdict = 'watch' and $watches < 20 %}",
    after: "$verdict = 'watch' and $watches < 2000 %}",
    tests: TESTS,
  },
  {
    name: 'failure-ends-in-fail',
    rules: [16],
    without: 'an execution that failed succeeds',
    file: CLUSTER,
    before: `"Failed": {
      "Type": "Fail",
      "Error": "{% $problem.error %}",
      "Cause": "{% $problem.stage & ': ' & $problem.cause %}"
    }`,
    after: `"Failed": {
      "Type": "Succeed"
    }`,
    tests: TESTS,
  },
  {
    name: 'refusal-is-published',
    rules: [16],
    without: 'an execution that refused to act tells nobody',
    file: CLUSTER,
    before: `$problem.cause & ')') %}"
            }
          },
          "Next": "PublishEventAfterFailure"`,
    after: `$problem.cause & ')') %}"
            }
          },
          "Next": "ReleaseLeaseAfterFailure"`,
    tests: TESTS,
  },
  {
    name: 'lease-is-released-after-failure',
    rules: [10, 11],
    without: 'an execution that failed keeps the lease until it is taken over',
    file: CLUSTER,
    before: '"Next": "ReleaseLeaseAfterFailure"\n        }\n      ],\n      "Next": "ReleaseLeaseAfterFailure"',
    after: '"Next": "ReleaseLeaseAfterFailure"\n        }\n      ],\n      "Next": "Failed"',
    tests: TESTS,
  },
  {
    name: 'deletion-marks-first',
    rules: [14],
    without: 'the healer brings back what a deletion terminates',
    file: DELETE,
    before: '"Next": "MarkAbsent"',
    after: '"Next": "ListServers"',
    also: [
      { before: '"Next": "CompleteDeletion"', after: '"Next": "IsSwapped"' },
      { before: '],\n      "Next": "ListServers"', after: '],\n      "Next": "CompleteDeletion"' },
      { before: '"Next": "IsSwapped"', after: '"Next": "MarkAbsent"' },
    ],
    tests: ['test/statemachine/delete-cluster.test.ts'],
  },
  {
    name: 'deletion-of-all',
    rules: [11, 16],
    without: 'a deletion that could not end a server counts as done',
    file: DELETE,
    before: '"Condition": "{% $count($failures) = 0 %}"',
    after: '"Condition": "{% true %}"',
    tests: ['test/statemachine/delete-cluster.test.ts'],
  },
];
