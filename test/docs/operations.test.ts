import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONCERN_CODES } from '../../functions/cluster/concern';

const runbook = readFileSync(join(__dirname, '../../docs/operations.md'), 'utf8');
const others = ['cluster-ready', 'node-replaced', 'converge-failed', 'execution-ended', 'alarms'];
const alarms = ['schedule-silent', 'healer-failing', 'notify-failing'];

describe('the runbook', () => {
  it.each([...CONCERN_CODES, ...others, ...alarms])('has the section %s that an alert points to', (section) => {
    expect(runbook).toMatch(new RegExp(`^### ${section}$`, 'm'));
  });
});
