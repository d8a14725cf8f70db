import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Pool } from '../../tools/pool';

const ROOT = join(__dirname, '../..');
const NAME = 'pool-test';
let pool: Pool<{ seed: number }, number>;

beforeAll(async () => {
  pool = await Pool.start({ name: NAME, entry: join(__dirname, 'doubler.ts'), size: 2 });
});
afterAll(() => {
  pool.close();
  rmSync(join(ROOT, '.build', NAME), { recursive: true });
});

describe('a pool', () => {
  it('answers every order, however few processes there are', async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map((seed) => pool.run({ seed })));
    expect(answers).toEqual([2, 4, 6, 8, 10]);
  });

  it('names the seed that goes wrong, and where it did', async () => {
    await expect(pool.run({ seed: 13 })).rejects.toThrow(/^seed 13: Error: unlucky\n.*doubler\.ts:6:/);
  });

  it('names the seed at which a process ended, and goes on with another', async () => {
    const runs = await Promise.allSettled([66, 66, 66, 7].map((seed) => pool.run({ seed })));
    expect(runs.slice(0, 3)).toEqual(
      Array(3).fill({ status: 'rejected', reason: new Error('seed 66: its process ended with 7') }),
    );
    expect(runs[3]).toMatchObject({ value: 14 });
  });
});
