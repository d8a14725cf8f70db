/** Draws where the time of one creation goes: a lane per server, the load balancer, the manifests. Readable on light and dark. */
import type { Bar, Measured } from './trial';

const WIDTH = 960;
const LEFT = 120;
const TOP = 56;
const LANE = 34;
const BAR = 20;

const KINDS: Record<Bar['kind'], { label: string; color: string }> = {
  ec2: { label: 'EC2 launches', color: '#e08a00' },
  boot: { label: 'boots, installs, agent registers', color: '#c2a500' },
  wait: { label: 'waits for its turn', color: '#8a8f98' },
  k3s: { label: 'K3s starts or joins, until it votes', color: '#2f7ed8' },
  balancer: { label: 'load balancer takes note', color: '#8e5fd0' },
  manifests: { label: 'manifests are applied', color: '#2a9d60' },
};

/** The creation of one run. */
export function timeline({ seed, creation }: Measured): string {
  const { bars, total, bound } = creation;
  const lanes = [...new Set(bars.map(({ lane }) => lane))];
  const end = Math.ceil(total / 20_000) * 20_000;
  const x = (ms: number) => LEFT + (ms / end) * (WIDTH - LEFT - 28);
  const bottom = TOP + lanes.length * LANE;
  const height = bottom + 74;
  const title = `Creation of run ${seed}: ${(total / 1000).toFixed(0)} s, lower bound ${(bound.serving / 1000).toFixed(0)} s`;
  const ticks = Array.from({ length: end / 20_000 + 1 }, (_, index) => index * 20_000);
  const shapes = [
    text(LEFT, 22, title, 'title'),
    ...ticks.flatMap((ms) => [
      `<line class="grid" x1="${n(x(ms))}" x2="${n(x(ms))}" y1="${TOP - 8}" y2="${bottom}"/>`,
      text(x(ms), TOP - 14, `${ms / 1000} s`, 'tick'),
    ]),
    ...lanes.map((lane, index) => text(LEFT - 10, TOP + index * LANE + BAR - 5, lane, 'lane')),
    ...bars.map(({ lane, kind, from, to, note }) => {
      const y = TOP + lanes.indexOf(lane) * LANE;
      const width = Math.max(x(to) - x(from), 1);
      const seconds = `${((to - from) / 1000).toFixed(0)} s`;
      const tip = `<title>${KINDS[kind].label}${note ? ` (${note})` : ''}: ${seconds}</title>`;
      const inside = width > 30 ? text(x(from) + width / 2, y + BAR - 6, seconds, 'in') : '';
      return `<g>${tip}<rect x="${n(x(from))}" y="${y}" width="${n(width)}" height="${BAR}" rx="3" fill="${KINDS[kind].color}"/>${inside}</g>`;
    }),
    mark(x(bound.serving), bottom, 'lower bound', 'end'),
    mark(x(total), bottom, 'finished', 'start'),
    ...legend(bottom + 34),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">
<title>${title}</title>
<style>
text { fill: #1f2328 } .title { font-size: 15px; font-weight: 600 } .tick { text-anchor: middle; fill: #6e7781 }
.lane { text-anchor: end } .in { text-anchor: middle; fill: #fff } .grid { stroke: #6e7781; stroke-opacity: 0.25 }
.mark { stroke: #d1242f; stroke-dasharray: 4 3 } .start { text-anchor: start } .end { text-anchor: end }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .tick { fill: #9198a1 } .mark { stroke: #ff7b72 } }
</style>
${shapes.join('\n')}
</svg>
`;
}

function mark(x: number, bottom: number, label: string, anchor: 'start' | 'end'): string {
  const dx = anchor === 'end' ? -4 : 4;
  return `<line class="mark" x1="${n(x)}" x2="${n(x)}" y1="${TOP - 8}" y2="${bottom + 12}"/>${text(x + dx, bottom + 14, label, anchor)}`;
}

function legend(y: number): string[] {
  const column = (WIDTH - LEFT) / 3;
  return Object.values(KINDS).map(({ label, color }, index) => {
    const left = LEFT + (index % 3) * column;
    const line = y + Math.floor(index / 3) * 20;
    return `<rect x="${n(left)}" y="${line - 10}" width="12" height="12" rx="2" fill="${color}"/>${text(left + 18, line, label, 'legend')}`;
  });
}

const n = (value: number) => value.toFixed(1);

const text = (x: number, y: number, content: string, style: string) =>
  `<text class="${style}" x="${n(x)}" y="${n(y)}">${content}</text>`;
