import { forms, leaks } from './leaks';

const TOKEN = 'uJ5kQ0mZr8Yw3Vt1Xn6Bc7Dh';
const PEM = 'MC4CAQAwBQYDK2VwBCIEIA+/bC6p5Q';

describe('the search for a secret', () => {
  it.each([
    ['as it is', `{"token":"${TOKEN}"}`],
    ['in upper case', TOKEN.toUpperCase()],
    ['within the secure form', `K10abc::server:${TOKEN}`],
    ['URL-encoded', `?key=${encodeURIComponent(`a/${PEM}`)}`],
    ['in hexadecimal', Buffer.from(`x${TOKEN}y`).toString('hex')],
    ['in base64', Buffer.from(TOKEN).toString('base64')],
    ...[1, 2, 3, 4, 5].map((n) => [
      `in base64, ${n} characters into something larger`,
      Buffer.from(`${'a'.repeat(n)}${TOKEN} and ${PEM} more`).toString('base64'),
    ]),
    ['in base64 for URLs', Buffer.from(`${PEM}${PEM}`).toString('base64url')],
    ['in base64 with broken lines', Buffer.from(TOKEN).toString('base64').replace(/.{10}/g, '$&\n')],
    ['in base64 with breaks as JSON has them', JSON.stringify([TOKEN.replace(/.{10}/g, '$&\n')])],
    ['in JSON within JSON', JSON.stringify(JSON.stringify(TOKEN.replace(/.{10}/g, '$&\n')))],
  ])('finds it %s', (_how, text) => {
    expect(leaks({ token: TOKEN, key: PEM }, { page: text })).not.toEqual([]);
  });

  it('says what was found, how, and where', () => {
    const places = { 'a log': 'nothing', 'a tag': Buffer.from(`1${TOKEN}`).toString('base64') };
    expect(leaks({ 'join token': TOKEN }, places)).toContain('join token in base64 at 1: a tag');
  });

  it('finds nothing where nothing is', () => {
    const other = `${TOKEN.slice(0, -1)}x`;
    expect(leaks({ token: TOKEN }, { page: `${other} ${Buffer.from(other).toString('base64')}` })).toEqual([]);
  });

  it('does not pretend to find what is too short to be told from chance', () => {
    expect(() => forms('abc')).toThrow('cannot be looked for');
  });
});
