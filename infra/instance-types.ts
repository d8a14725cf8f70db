/**
 * The processor architecture of an EC2 instance type, from its name: after the generation digit, `g` means Graviton
 * (arm64), as in t4g, m7gd, c7gn, im4gn; the first generation was a1.
 * https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
 */
export function architectureOf(type: string): 'x86_64' | 'arm64' {
  const family = type.split('.')[0] ?? '';
  const options = /^[a-z]+\d+([a-z]*)/.exec(family)?.[1] ?? '';
  return family === 'a1' || options.includes('g') ? 'arm64' : 'x86_64';
}

/**
 * Whether a type has less than the 2 vCPUs and 2 GiB that a K3s server needs (https://docs.k3s.io/installation/requirements).
 * Nano and micro have at most 1 GiB; a medium has two vCPUs only in the burstable families.
 */
export function isTooSmall(type: string): boolean {
  const [family = '', size = ''] = type.split('.');
  return ['nano', 'micro'].includes(size) || (size === 'medium' && !family.startsWith('t'));
}
