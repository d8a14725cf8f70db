/**
 * What it means that EC2 does not name an instance: its answers lag behind a launch by seconds, and it forgets an
 * instance about an hour after termination. In between it names every one.
 */
const LAG_MS = 600_000;

/** Whether an instance that EC2 does not name may only be too young. Times are epoch ms. */
export const mayYetAppear = (launchedAt: number, now: number) => now - launchedAt < LAG_MS;
