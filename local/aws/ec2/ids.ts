import { AwsError } from '../service';

/** The kinds of EC2 resources that have an id: its prefix and how errors about it are called. */
const KINDS = {
  i: { code: 'InvalidInstanceID', noun: 'instance ID' },
  subnet: { code: 'InvalidSubnetID', noun: 'subnet ID' },
  vpc: { code: 'InvalidVpcID', noun: 'vpc ID' },
  sg: { code: 'InvalidGroup', noun: 'security group' },
  lt: { code: 'InvalidLaunchTemplateId', noun: 'launch template ID' },
  ami: { code: 'InvalidAMIID', noun: 'image ID' },
  vol: { code: 'InvalidVolume', noun: 'volume' },
  eni: { code: 'InvalidNetworkInterfaceID', noun: 'networkInterface ID' },
  rtb: { code: 'InvalidRouteTableID', noun: 'routeTable ID' },
  igw: { code: 'InvalidInternetGatewayID', noun: 'internetGateway ID' },
  nat: { code: 'InvalidNatGatewayID', noun: 'NAT gateway ID' },
  eipalloc: { code: 'InvalidAllocationID', noun: 'allocation ID' },
} as const;

export type IdKind = keyof typeof KINDS;

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html */
export function notFound(kind: IdKind, ids: string[]): AwsError {
  const { code, noun } = KINDS[kind];
  const message =
    ids.length === 1 ? `The ${noun} '${ids[0]}' does not exist` : `The ${noun}s '${ids.join(', ')}' do not exist`;
  return new AwsError(`${code}.NotFound`, message);
}

/**
 * @throws AwsError Invalid….Malformed
 */
export function checkForm(kind: IdKind, ids: string[]): void {
  const form = new RegExp(`^${kind}-([0-9a-f]{8}|[0-9a-f]{17})$`);
  const malformed = ids.find((id) => !form.test(id));
  if (malformed !== undefined) throw new AwsError(`${KINDS[kind].code}.Malformed`, `Invalid id: "${malformed}"`);
}

/**
 * The resources with these ids, in the order asked; all of them without ids.
 *
 * @throws AwsError Invalid….Malformed, Invalid….NotFound naming every id that is missing
 */
export function select<T>(kind: IdKind, all: ReadonlyMap<string, T>, ids: string[] | undefined): T[] {
  if (!ids) return [...all.values()];
  checkForm(kind, ids);
  const missing = ids.filter((id) => !all.has(id));
  if (missing.length > 0) throw notFound(kind, missing);
  return [...new Set(ids)].map((id) => all.get(id)!);
}

/**
 * @throws AwsError Invalid….NotFound
 */
export function get<T>(kind: IdKind, all: ReadonlyMap<string, T>, id: string): T {
  const found = all.get(id);
  if (!found) throw notFound(kind, [id]);
  return found;
}
