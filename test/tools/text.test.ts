import { withNote, wrap } from '../../tools/text';

describe('text for people', () => {
  it('is left alone while it fits', () => {
    expect(wrap('  short text', 20, '    ')).toBe('  short text');
    expect(wrap('any length', Number.POSITIVE_INFINITY)).toBe('any length');
  });

  it('is broken between words, under its own indentation', () => {
    expect(wrap('  one two  three four five', 15, '      ')).toBe('  one two\n      three\n      four five');
  });

  it('keeps a word that is longer than the line', () => {
    expect(wrap('see https://example.org/a/long/path now', 10)).toBe('see\nhttps://example.org/a/long/path\nnow');
  });

  it('has a note beside it where there is room, else below', () => {
    expect(withNote('text', 'note', 200)).toBe(`text${' '.repeat(90)}note`);
    expect(withNote('text', 'note', 40, '  ')).toBe('text\n  note');
    expect(withNote('text', undefined, 40)).toBe('text');
  });
});
