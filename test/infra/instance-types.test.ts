import { architectureOf, isTooSmall } from '../../infra/instance-types';

describe('the architecture of an instance type', () => {
  it.each(['t4g.medium', 'm7g.large', 'm7gd.large', 'c7gn.xlarge', 'im4gn.large', 'g5g.xlarge', 'a1.large'])(
    '%s is arm64',
    (type) => expect(architectureOf(type)).toBe('arm64'),
  );

  it.each(['t3.medium', 't3a.medium', 'm7i-flex.large', 'g4dn.xlarge', 'c6in.large', 'm5zn.large'])(
    '%s is x86_64',
    (type) => expect(architectureOf(type)).toBe('x86_64'),
  );
});

describe('a type is too small for a K3s server', () => {
  it.each(['t3.nano', 't4g.micro', 'm7g.medium'])('%s', (type) => expect(isTooSmall(type)).toBe(true));
  it.each(['t3.small', 't3.medium', 'm7g.large'])('but not %s', (type) => expect(isTooSmall(type)).toBe(false));
});
