/** `npm run bench`: how long creation and replacement take, against the lower bound, in virtual time over many seeds. */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { prepareAssembly } from '../test/support/assembly';
import { number, switched, text, type Values } from './arguments';
import { report, table } from './bench/report';
import { percentile } from './bench/statistics';
import { timeline } from './bench/timeline';
import type { Measured } from './bench/trial';
import type { Order } from './bench/worker';
import { Pool } from './pool';
import { Progress } from './progress';
import { runTool } from './run';

const TOOL = {
  name: 'bench',
  purpose: 'Measures creation and replacement in modelled AWS time.',
  flags: {
    seeds: number('N', 'runs, with the seeds from 1 to N', 200, { from: 1, to: 100_000, integer: true }),
    json: switched('print one JSON object as the last line'),
    timeline: text<string | undefined>(
      'FILE',
      'draw the creation of the median run there, as SVG',
      undefined,
      (path) => path,
    ),
  },
};

async function main({ seeds, json, timeline: file }: Values<typeof TOOL.flags>): Promise<number> {
  await prepareAssembly();
  const runs = await measureAll(seeds);
  const found = report(runs);
  console.log(table(found));
  if (file !== undefined) writeFileSync(file, timeline(medianRun(runs)));
  if (json) console.log(JSON.stringify(found));
  return 0;
}

/** The runs of the seeds from 1 on, in their order. */
async function measureAll(seeds: number): Promise<Measured[]> {
  const pool: Pool<Order, Measured> = await Pool.start({
    name: 'bench',
    entry: join(__dirname, 'bench/worker.ts'),
    size: availableParallelism(),
  });
  const progress = new Progress(seeds, 'seeds');
  const measured = async (seed: number) => {
    const run = await pool.run({ seed });
    progress.advance();
    return run;
  };
  try {
    return await Promise.all(Array.from({ length: seeds }, (_, index) => measured(index + 1)));
  } finally {
    progress.end();
    pool.close();
  }
}

/** The one that took as long as the median. */
function medianRun(runs: Measured[]): Measured {
  const median = percentile(
    runs.map(({ creation }) => creation.total),
    0.5,
  );
  return runs.find(({ creation }) => creation.total === median) ?? runs[0]!;
}

runTool(TOOL, main);
