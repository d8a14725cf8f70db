import type { Row } from '../../../tools/local/progress';
import { grouped, line } from '../../../tools/local/screen';

const row = (stage: Row['stage'], subject: string, text = 'text'): Row => ({
  stage,
  subject,
  text,
  startedAt: 0,
  endedAt: 5000,
  state: 'done',
});

describe('the rows of progress', () => {
  it('stand together by stage, and by server within it', () => {
    const rows = [row('launch', 'server-2'), row('assess', ''), row('launch', 'server-0'), row('launch', 'server-1')];
    expect(grouped(rows).map(({ stage, subject }) => `${stage} ${subject}`)).toEqual([
      'launch server-0',
      'launch server-1',
      'launch server-2',
      'assess ',
    ]);
  });

  it('are aligned whether or not they are about one server', () => {
    const column = (text: string) => text.indexOf('text');
    expect(column(line(row('assess', ''), undefined, 0, '✔', 120))).toBe(
      column(line(row('launch', 'server-0'), undefined, 0, '✔', 120)),
    );
  });
});
