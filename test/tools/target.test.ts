import { UsageError } from '../../tools/arguments';
import { choose, timeFrom } from '../../tools/target';

const nothing = { port: undefined, aws: false, stack: undefined, region: undefined };

describe('which AWS a tool works on', () => {
  it('is the embedded one when nothing else is said, if it runs', () => {
    expect(choose(nothing, {})).toEqual({ kind: 'embedded', url: 'http://127.0.0.1:4566', sure: false });
  });

  it.each([
    [{ port: 4999 }, {}, 'http://127.0.0.1:4999'],
    [{}, { AWS_ENDPOINT_URL: 'http://127.0.0.1:5000/' }, 'http://127.0.0.1:5000'],
    [{ port: 4999 }, { AWS_ENDPOINT_URL: 'http://127.0.0.1:5000' }, 'http://127.0.0.1:4999'],
  ])('is the embedded one that %j and %j name', (flags, env, url) => {
    expect(choose({ ...nothing, ...flags }, env)).toEqual({ kind: 'embedded', url, sure: true });
  });

  it.each([{ aws: true }, { stack: 'k3s-prod' }, { region: 'eu-central-1' }])('is the account with %j', (flags) => {
    expect(choose({ ...nothing, ...flags }, { AWS_ENDPOINT_URL: '' })).toEqual({ kind: 'account' });
  });

  it('is refused when the account and the embedded AWS are both named', () => {
    expect(() => choose({ ...nothing, aws: true, port: 4566 }, {})).toThrow(UsageError);
    expect(() => choose({ ...nothing, stack: 'k3s-prod' }, { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' })).toThrow(
      '--stack means your account, but AWS_ENDPOINT_URL is http://127.0.0.1:4566: unset it first',
    );
  });
});

describe('the time of an embedded AWS', () => {
  const first = { here: 1000, there: 50_000 };
  const second = { here: 1100, there: 52_000 };

  it('goes on as two looks at it say', () => {
    let here = 2000;
    const time = timeFrom(
      first,
      second,
      async () => undefined,
      () => here,
    );
    expect(time.now()).toBe(70_000);
    here = 2050;
    expect(time.now()).toBe(71_000);
  });

  it('is looked at again after a wait, because it slows down while the embedded AWS computes', async () => {
    const time = timeFrom(
      first,
      second,
      async () => ({ here: 2000, there: 52_900 }),
      () => 2000,
    );
    expect(time.now()).toBe(70_000);
    await time.sleep(1);
    expect(time.now()).toBe(52_900);
  });
});
