import { closeAll } from '../../support/embedded';
import { createdCluster } from './healing';
afterEach(closeAll);
const FROM = Number(process.env.FROM ?? 1);
it.each(Array.from({ length: 10 }, (_, i) => FROM + i))('seed %d', async (seed) => {
  const trial = await createdCluster({ seed });
  const { cluster } = trial;
  const random = cluster.aws.world.random.fork('chaos');
  const pick = <T,>(l: readonly T[]): T => l[Math.floor(random.next() * l.length)]!;
  const log: string[] = [];
  const kinds = ['terminate', 'stop', 'hang', 'k3s-crash'] as const;
  await cluster.pass(random.next() * 60);
  const slot = pick([0, 1, 2]);
  const one = pick(kinds); await trial.inject({ kind: one, slot }); log.push(`${one} ${slot}`);
  const mode = pick(['successor', 'abort', 'other', 'events'] as const);
  const wait = random.next() * 220; await cluster.pass(wait); log.push(`${mode} after ${wait | 0}`);
  const slots = new Set([slot]);
  if (mode === 'successor') { try { await trial.inject({ kind: pick(kinds), slot }); } catch (e) { log.push('refused'); } }
  if (mode === 'other') { const o = (slot + 1) % 3; try { await trial.inject({ kind: pick(kinds), slot: o }); } catch (e) { log.push('refused'); } }
  if (mode === 'abort') { const r = trial.repairs.at(-1); if (r?.status === 'RUNNING') { await cluster.stop(r.arn); log.push('stopped ' + r.name); } }
  if (mode === 'events') cluster.aws.services.events.plan = () => (random.next() < 0.3 ? [] : random.next() < 0.5 ? [0, 30000] : [random.next() * 60000]);
  await cluster.pass(120); let passed = 120;
  for (; passed < 7200 && !trial.whole; passed += 10) { await cluster.pass(10); if (mode === 'other' && passed === 900) { await trial.heal(); } }
  await cluster.pass(120);
  log.push(`whole=${trial.whole} after ${passed} harm=${trial.harm.join()} ${JSON.stringify(trial.subjects)} ${trial.repairs.map((r) => `${r.status} ${JSON.stringify((r as any).input).slice(0,160)} ${r.error ?? ''} ${(r.cause ?? '').slice(0, 200)}`).join(' | ')}`);
  require('fs').appendFileSync('/tmp/chaos.txt', `== ${seed}\n${log.join('\n')}\n`);
}, 300_000);
