import { PassThrough } from 'node:stream';
import { Board } from '../../../tools/local/board';

function output(terminal: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY: terminal, columns: 20 }) as PassThrough & NodeJS.WriteStream;
  return { stream, text: () => String(stream.read() ?? '') };
}

describe('the board', () => {
  it('keeps its bottom line below what is printed', () => {
    const { stream, text } = output(true);
    const board = new Board(stream);
    board.show('bottom');
    board.print('line');
    expect(text()).toBe('\r\x1b[2Kbottom\r\x1b[2Kline\nbottom');
  });

  it('cuts a bottom line that would wrap, and draws it only when it has changed', () => {
    const { stream, text } = output(true);
    const board = new Board(stream);
    board.show('a line that is too long');
    board.show('a line that is too long');
    expect(text()).toBe('\r\x1b[2Ka line that is too ');
    board.close();
    expect(text()).toBe('\r\x1b[2K');
  });

  it('prints plain lines where there is no terminal', () => {
    const { stream, text } = output(false);
    const board = new Board(stream);
    board.show('bottom');
    board.print('line');
    board.close();
    expect(text()).toBe('line\n');
    expect(board.width).toBe(Number.POSITIVE_INFINITY);
  });
});
