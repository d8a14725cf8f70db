import { Tally, trafficDuring, trafficNow } from '../../../tools/local/tally';

const AT = Date.UTC(2026, 10, 22, 14, 2, 11);

describe('the tally of requests', () => {
  it('begins anew with the trouble', () => {
    const tally = new Tally();
    for (let i = 0; i < 5; i++) tally.count();
    tally.begin();
    tally.begin();
    tally.count();
    tally.count({ at: AT, reason: 'no answer' });
    expect(tally).toMatchObject({ requests: 2, failures: [{ at: AT }], began: true });
  });

  it('notices trouble by the first failure', () => {
    const tally = new Tally();
    tally.count();
    tally.count({ at: AT, reason: 'no answer' });
    expect(tally).toMatchObject({ requests: 1, began: true });
    tally.reset();
    expect(tally).toMatchObject({ requests: 0, failures: [], began: false });
  });
});

describe('what an incident meant for traffic', () => {
  const failed = (...seconds: number[]) => seconds.map((second) => ({ at: AT + second * 1000, reason: 'no answer' }));

  it('is told at any moment', () => {
    expect(trafficNow(2, 3, { failures: [] })).toBe('traffic: 2 of 3 targets, 0 failed requests');
    expect(trafficNow(2, 3, { failures: failed(0) })).toBe('traffic: 2 of 3 targets, 1 failed request');
  });

  it('is told at its end: how many failed, for how long, and none after the target was taken out', () => {
    expect(trafficDuring({ requests: 143, failures: failed(0, 4, 8) }, AT + 10_000)).toBe(
      'traffic: 3 of 143 requests failed meanwhile (3 no answer), within 8.0 s; none after the load balancer had taken the target out at 14:02:21',
    );
  });

  it('does not hide failures that came later', () => {
    expect(trafficDuring({ requests: 143, failures: failed(0, 4, 12) }, AT + 10_000)).toContain('1 of them after');
    expect(trafficDuring({ requests: 9, failures: failed(0) }, null)).toBe(
      'traffic: 1 of 9 requests failed meanwhile (1 no answer), within 0.0 s',
    );
  });

  it('is nothing when nothing failed', () => {
    expect(trafficDuring({ requests: 143, failures: [] }, AT)).toBe('traffic: none of 143 requests failed meanwhile');
  });
});
