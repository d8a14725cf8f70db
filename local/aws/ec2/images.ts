/** The machine images of the embedded EC2: Amazon Linux 2023, found as in AWS through public SSM parameters. */
import { AwsError } from '../service';
import type { Architecture } from './instance-types';

export interface Image {
  imageId: string;
  name: string;
  architecture: Architecture;
  rootDeviceName: string;
  /** GiB of the image's root snapshot: a smaller volume is refused. */
  sizeGiB: number;
}

const image = (imageId: string, architecture: Architecture): Image => ({
  imageId,
  name: `al2023-ami-embedded-${architecture}`,
  architecture,
  rootDeviceName: '/dev/xvda',
  sizeGiB: 8,
});

const AL2023: Record<Architecture, Image> = {
  x86_64: image('ami-0a12023000000086e', 'x86_64'),
  arm64: image('ami-0a120230000000a64', 'arm64'),
};

export const IMAGES: ReadonlyMap<string, Image> = new Map(
  Object.values(AL2023).map((known) => [known.imageId, known] as const),
);

const PARAMETER = /^\/aws\/service\/ami-amazon-linux-latest\/al2023-ami-(minimal-)?kernel-[0-9a-z.]+-(x86_64|arm64)$/;

/**
 * The value of a public image parameter (`/aws/service/ami-amazon-linux-latest/…`); undefined when it is none.
 * https://docs.aws.amazon.com/linux/al2023/ug/ec2.html
 */
export function publicImageParameter(name: string): string | undefined {
  const architecture = PARAMETER.exec(name)?.[2];
  return architecture === 'x86_64' || architecture === 'arm64' ? AL2023[architecture].imageId : undefined;
}

/**
 * The image with an id, or behind `resolve:ssm:<parameter>`.
 *
 * @throws AwsError InvalidAMIID.NotFound, InvalidAMIID.Malformed
 */
export function resolveImage(reference: string): Image {
  const parameter = /^resolve:ssm:(.+)$/.exec(reference)?.[1];
  const id = parameter ? publicImageParameter(parameter) : reference;
  const found = id ? IMAGES.get(id) : undefined;
  if (found) return found;
  if (!parameter && !/^ami-([0-9a-f]{8}|[0-9a-f]{17})$/.test(reference)) {
    throw new AwsError('InvalidAMIID.Malformed', `Invalid id: "${reference}"`);
  }
  throw new AwsError('InvalidAMIID.NotFound', `The image id '[${reference}]' does not exist`);
}
