/** Parallel and Map states: flows inside a state. The first failure abandons the others. */
import { linked } from './abort';
import type { MapStateDefinition, ParallelState } from './definition';
import { StatesError } from './errors';
import { unexpected } from './evaluate';
import { reason, type Trail } from './history';
import { isObject, type Json } from './json';
import { Scope } from './scope';
import type { Visit } from './visit';

/** An inline Map runs at most this many iterations at once (Developer Guide, "Map state processing modes"). */
const INLINE_CONCURRENCY = 40;

/** The reason given to flows whose sibling failed; nothing can catch it. */
class SiblingFailed extends Error {
  override readonly name = 'SiblingFailed';
}

export async function attemptParallel(visit: Visit<ParallelState>): Promise<Json> {
  const { run, state, around } = visit;
  const input = state.Arguments === undefined ? visit.input : await visit.evaluate(state.Arguments, 'Arguments');
  visit.limit(input, visit.name);
  visit.record('ParallelStateStarted');
  return recorded(visit, 'ParallelState', () =>
    forkJoin(visit, state.Branches.length, state.Branches.length, (index, signal, trail) =>
      run.flow(state.Branches[index]!, input, { scope: new Scope(around.scope), trail, signal, item: around.item }),
    ),
  );
}

export async function attemptMap(visit: Visit<MapStateDefinition>): Promise<Json> {
  const { run, state, around, name } = visit;
  const limits = { from: 0, to: Number.MAX_SAFE_INTEGER };
  const concurrency = (await visit.integer(state.MaxConcurrency, 'MaxConcurrency', limits)) ?? 0;
  const items = await itemsOf(visit);
  visit.record('MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
  return recorded(visit, 'MapState', () =>
    forkJoin(
      visit,
      items.length,
      Math.min(concurrency || INLINE_CONCURRENCY, INLINE_CONCURRENCY),
      async (index, signal, trail) => {
        const item = { index, value: items[index]! };
        const input =
          state.ItemSelector === undefined
            ? item.value
            : await visit.evaluate(state.ItemSelector, 'ItemSelector', { item });
        visit.limit(input, name);
        const record = (what: string, details = {}) =>
          run.history.record(trail, `MapIteration${what}`, {
            [`mapIteration${what}EventDetails`]: { name, index, ...details },
          });
        record('Started');
        try {
          const output = await run.flow(state.ItemProcessor, input, {
            scope: new Scope(around.scope),
            trail,
            signal,
            item,
          });
          record('Succeeded');
          return output;
        } catch (error) {
          record(signal.aborted ? 'Aborted' : 'Failed');
          throw error;
        }
      },
    ),
  );
}

/** The items: an array as it is, an object as its members {Key, Value}. */
async function itemsOf(visit: Visit<MapStateDefinition>): Promise<Json[]> {
  const { Items } = visit.state;
  const items = Items === undefined ? visit.input : await visit.evaluate(Items, 'Items');
  if (Array.isArray(items)) return items;
  if (isObject(items)) return Object.entries(items).map(([Key, Value]) => ({ Key, Value }));
  throw unexpected('an array or an object', items, visit.place('Items'));
}

async function recorded(visit: Visit, kind: 'ParallelState' | 'MapState', work: () => Promise<Json[]>): Promise<Json> {
  try {
    const result = await work();
    visit.record(`${kind}Succeeded`);
    return result;
  } catch (error) {
    if (visit.around.signal.aborted || !(error instanceof StatesError)) throw error;
    const key = kind === 'MapState' ? 'mapStateFailedEventDetails' : 'parallelStateFailedEventDetails';
    visit.record(`${kind}Failed`, { [key]: reason(error) });
    throw error;
  }
}

async function forkJoin(
  visit: Visit,
  count: number,
  concurrency: number,
  body: (index: number, signal: AbortSignal, trail: Trail) => Promise<Json>,
): Promise<Json[]> {
  const { around } = visit;
  const group = linked(around.signal);
  const results: Json[] = new Array(count);
  const start = around.trail.fork();
  let failure: { error: unknown } | undefined;
  let next = 0;
  const work = async () => {
    while (next < count && !group.signal.aborted) {
      const index = next++;
      const trail = start.fork();
      try {
        results[index] = await body(index, group.signal, trail);
      } catch (error) {
        failure ??= { error };
        group.abort(new SiblingFailed('another branch or iteration failed'));
      }
      // The state goes on from the event that happened last in any of its flows.
      around.trail.last = Math.max(around.trail.last, trail.last);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, count) }, work));
  } finally {
    group.release();
  }
  around.signal.throwIfAborted();
  if (failure) throw failure.error;
  return results;
}
