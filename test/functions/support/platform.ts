import type { Platform } from '../../../functions/runtime/platform';

export const NOW = Date.UTC(2026, 10, 22, 14, 0, 0);

/** A platform in which time moves only by sleeping; what was logged is in `lines`. */
export function testPlatform(env: Platform['env'] = {}): Platform & { lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  let time = NOW;
  return {
    env,
    lines,
    client: {},
    now: () => time,
    sleep: async (ms) => {
      time += ms;
    },
    uuid: () => '00000000-0000-4000-a000-000000000000',
    fetch: async () => ({ ok: true, status: 200 }),
    write: (line) => lines.push(JSON.parse(line)),
  };
}
