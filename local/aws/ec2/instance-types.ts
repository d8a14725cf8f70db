/** The instance types that the embedded EC2 offers: general purpose, compute and memory families, two architectures. */
import { AwsError } from '../service';

export type Architecture = 'x86_64' | 'arm64';

export interface InstanceType {
  name: string;
  architecture: Architecture;
  vcpus: number;
  memoryMiB: number;
}

/** GiB of memory per vCPU. https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-type-specifications.html */
const FAMILIES: Record<string, [Architecture, number]> = {
  c6g: ['arm64', 2],
  c6i: ['x86_64', 2],
  c7g: ['arm64', 2],
  c7i: ['x86_64', 2],
  c8g: ['arm64', 2],
  m5: ['x86_64', 4],
  m6a: ['x86_64', 4],
  m6g: ['arm64', 4],
  m6i: ['x86_64', 4],
  m7a: ['x86_64', 4],
  m7g: ['arm64', 4],
  'm7i-flex': ['x86_64', 4],
  m7i: ['x86_64', 4],
  m8g: ['arm64', 4],
  r6g: ['arm64', 8],
  r6i: ['x86_64', 8],
  r7g: ['arm64', 8],
  r7i: ['x86_64', 8],
};

const SIZES: Record<string, number> = { medium: 1, large: 2, xlarge: 4, '2xlarge': 8, '4xlarge': 16 };

/** Families of Intel and AMD begin at `large`; only Graviton has `medium`. */
const offered = (architecture: Architecture, size: string) => size !== 'medium' || architecture === 'arm64';

const BURSTABLE: Record<string, Architecture> = { t3: 'x86_64', t3a: 'x86_64', t4g: 'arm64' };
const BURSTABLE_SIZES: Record<string, [vcpus: number, memoryMiB: number]> = {
  micro: [2, 1024],
  small: [2, 2048],
  medium: [2, 4096],
  large: [2, 8192],
  xlarge: [4, 16384],
  '2xlarge': [8, 32768],
};

export const INSTANCE_TYPES: ReadonlyMap<string, InstanceType> = new Map(
  [
    ...Object.entries(FAMILIES).flatMap(([family, [architecture, gib]]) =>
      Object.entries(SIZES)
        .filter(([size]) => offered(architecture, size))
        .map(([size, vcpus]) => ({ name: `${family}.${size}`, architecture, vcpus, memoryMiB: vcpus * gib * 1024 })),
    ),
    ...Object.entries(BURSTABLE).flatMap(([family, architecture]) =>
      Object.entries(BURSTABLE_SIZES).map(([size, [vcpus, memoryMiB]]) => ({
        name: `${family}.${size}`,
        architecture,
        vcpus,
        memoryMiB,
      })),
    ),
  ].map((type) => [type.name, type]),
);

/**
 * @throws AwsError InvalidParameterValue
 */
export function instanceType(name: string): InstanceType {
  const type = INSTANCE_TYPES.get(name);
  if (!type) throw new AwsError('InvalidParameterValue', `Invalid value '${name}' for InstanceType.`);
  return type;
}
