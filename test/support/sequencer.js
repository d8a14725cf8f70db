const { relative } = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

/** Test files that compute for longer than all others: one that began last would keep everybody waiting. */
const LONG = [
  'test/simulation/simulate.test.ts',
  'test/nodes/scripts.test.ts',
  'test/e2e/real.test.ts',
  'test/local/k3s/scripts.test.ts',
  'test/e2e/creation.test.ts',
  'test/e2e/bench.test.ts',
];

/** Jest knows how long a file takes from the last run; in a fresh checkout it goes by size, and short files may be long. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path, context }) => {
      const index = LONG.indexOf(relative(context.config.rootDir, path));
      return index < 0 ? LONG.length : index;
    };
    return super.sort(tests).sort((a, b) => place(a) - place(b));
  }
};
