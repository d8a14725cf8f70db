import fc from 'fast-check';
import { DEFAULT_NODE_PORTS, parsePortRange, pickNodePort } from '../../../local/k3s/node-ports';
import { Random } from '../../../local/random';

const portsOf = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

test.each(['', '32000', '32000-', '32767-32000', '1-70000', 'a-b'])('"%s" is no range of ports', (text) => {
  expect(parsePortRange(text)).toBeUndefined();
});

// https://kubernetes.io/blog/2023/05/11/nodeport-dynamic-and-static-allocation/ has the first.
test.each([
  ['30000-32767', 30086],
  ['32000-32767', 32024],
  ['30000-30199', 30016],
  ['30000-65535', 30128],
  ['30000-30015', 30000],
])('of %s, those before %i are left to services that name theirs', (text, border) => {
  const range = parsePortRange(text)!;
  const random = new Random(1);
  const picked = Array.from({ length: 2000 }, () => pickNodePort(range, new Set(), random));
  const lowest = Math.min(...picked.map(Number));
  expect(lowest).toBeGreaterThanOrEqual(border);
  expect(lowest).toBeLessThan(border + 200);
});

test('a port is picked once; the first of the range go last, and then there is none', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer(), (size, seed) => {
      const range = { first: 32000, last: 32000 + size - 1 };
      const random = new Random(seed);
      const taken = new Set<number>();
      for (let count = 0; count < size; count++) {
        const port = pickNodePort(range, taken, random);
        expect(port).toBeDefined();
        taken.add(port!);
      }
      expect([...taken].sort()).toEqual(portsOf(range.first, range.last));
      expect(pickNodePort(range, taken, random)).toBeUndefined();
    }),
  );
});

test('by default Kubernetes could pick the port of the health check, in the range of the servers it cannot', () => {
  const random = new Random(2);
  const others = (range: { first: number; last: number }) =>
    new Set(portsOf(range.first, range.last).filter((port) => port !== 32000 && port !== range.last));
  const picks = (range: { first: number; last: number }) =>
    Array.from({ length: 50 }, () => pickNodePort(range, others(range), random));
  expect(picks(DEFAULT_NODE_PORTS)).toContain(32000);
  expect(picks({ first: 32000, last: 32767 })).not.toContain(32000);
});
