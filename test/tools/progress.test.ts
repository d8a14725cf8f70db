import { Progress } from '../../tools/progress';

/** A progress of so many lives, each of which takes half a second, and what it writes. */
function lives(total: number, isTTY: boolean) {
  const written: string[] = [];
  let now = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
  const write = (text: string) => written.push(text) > 0;
  const progress = new Progress(total, 'lives', { isTTY, write });
  const advance = (count: number, remark?: string) => {
    for (let done = 0; done < count; done++) {
      now += 500;
      progress.advance(remark);
    }
  };
  return { progress, advance, written };
}

afterEach(() => jest.restoreAllMocks());

describe('the progress of a long computation', () => {
  it('says how much is done, how fast, and when the rest will be', () => {
    const { advance, written } = lives(4, false);
    advance(1, ', 1 failed');
    advance(3);
    expect(written).toEqual([
      '█████░░░░░░░░░░░░░░░ 1/4 lives, 2.00 per second, 1.5 s left, 1 failed\n',
      '██████████░░░░░░░░░░ 2/4 lives, 2.00 per second, 1.0 s left\n',
      '███████████████░░░░░ 3/4 lives, 2.00 per second, 0.5 s left\n',
      '████████████████████ 4/4 lives, 2.00 per second\n',
    ]);
  });

  it('is a few lines where lines stay, the last of them at the end', () => {
    const { progress, advance, written } = lives(205, false);
    advance(205);
    progress.end();
    expect(written).toHaveLength(19);
    expect(written.at(-1)).toContain('205/205');
  });

  it('is drawn over itself on a terminal, below what was told', () => {
    const { progress, advance, written } = lives(2, true);
    advance(1);
    progress.tell('seed 2 breaks a rule');
    advance(1);
    progress.end();
    expect(written.map((text) => text.replace('\r\x1b[K', '<erased>'))).toEqual([
      '<erased>██████████░░░░░░░░░░ 1/2 lives, 2.00 per second, 0.5 s left',
      '<erased>seed 2 breaks a rule\n',
      '<erased>████████████████████ 2/2 lives, 2.00 per second',
      '\n',
    ]);
  });

  it('fits on a line of a terminal', () => {
    const { advance, written } = lives(1000, true);
    advance(999, ', 12 failed');
    expect(Math.max(...written.map((text) => text.replace('\r\x1b[K', '').length))).toBeLessThan(80);
  });
});
