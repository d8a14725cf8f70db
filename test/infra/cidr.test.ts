import { overlap, parseCidr } from '../../infra/cidr';

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`${text} is no network`);
  return parsed;
};

describe('a network', () => {
  it.each(['0.0.0.0/0', '10.20.0.0/16', '203.0.113.7/32', '255.255.255.252/30'])('%s is one', (text) => {
    expect(parseCidr(text)).toBeDefined();
  });

  it.each([
    ['', 'nothing'],
    ['10.20.0.0', 'no prefix'],
    ['10.20.0.0/33', 'a prefix that is too long'],
    ['10.20.0.256/32', 'an octet above 255'],
    ['10.20.1.0/16', 'not the network address'],
    ['10.20.0.0/16 ', 'trailing space'],
    ['2001:db8::/32', 'IPv6'],
  ])('%j is none: %s', (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});

describe('two networks overlap', () => {
  it('when one lies within the other', () => {
    expect(overlap(cidr('10.0.0.0/8'), cidr('10.42.0.0/16'))).toBe(true);
    expect(overlap(cidr('10.42.3.0/24'), cidr('10.42.0.0/16'))).toBe(true);
  });

  it('but not when they are neighbours', () => {
    expect(overlap(cidr('10.41.0.0/16'), cidr('10.42.0.0/16'))).toBe(false);
    expect(overlap(cidr('10.43.0.0/16'), cidr('10.42.0.0/16'))).toBe(false);
  });
});
