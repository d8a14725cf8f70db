import type { Target } from '../../tools/target';
import { person, type TestCluster } from './embedded';
import { clientConfig } from './sdk';

/** The embedded AWS as a tool sees it, and how to let time pass while one works. */
export function operator(cluster: TestCluster) {
  const { aws, clock } = cluster;
  const caller = aws.world.credentials.issue(person(aws.world));
  const hold = clock.hold();
  caller.hold = hold;
  const target: Target = {
    kind: 'embedded',
    description: 'the embedded AWS',
    client: clientConfig(aws.world, aws.endpoint, caller),
    stack: 'k3s-demo',
    now: () => clock.now(),
    sleep: (ms) => hold.waiting(clock.sleep(ms)),
  };
  return {
    target,
    work: async <T>(task: Promise<T>): Promise<T> => clock.until(task.finally(() => hold.release())),
    calls: () => cluster.calls.filter((call) => call.caller === 'root'),
  };
}
