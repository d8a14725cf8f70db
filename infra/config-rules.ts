import { overlap, parseCidr } from './cidr';
import type { Settings } from './config';
import type { Fault } from './config-error';
import { POD_CIDR, SERVICE_CIDR } from './defaults';
import { architectureOf, isTooSmall } from './instance-types';

/** Rules between settings. A missing one is at fault by itself and not judged here. */
export function crossFaults({
  region,
  architecture,
  instanceTypes,
  network,
  domain,
  acme,
}: Partial<Settings>): Fault[] {
  const faults: Fault[] = [];
  const fault = (path: string, message: string) => faults.push({ path, message });

  if (domain && acme && !acme.email) {
    fault('acme.email', "is required when a domain is set (Let's Encrypt registers an account with it)");
  }
  for (const [index, type] of (instanceTypes ?? []).entries()) {
    const path = `instanceTypes.${index}`;
    const actual = architectureOf(type);
    if (architecture && actual !== architecture) {
      fault(path, `must be of architecture ${architecture}, ${type} is ${actual}; set "architecture" to match`);
    }
    if (isTooSmall(type)) fault(path, `must have 2 vCPUs and 2 GiB, ${type} has less (what a K3s server needs)`);
  }
  if (network) faults.push(...networkFaults(network, region));
  return faults;
}

function networkFaults(network: Settings['network'], region: string | undefined): Fault[] {
  const faults: Fault[] = [];
  const fault = (path: string, message: string) => faults.push({ path: `network.${path}`, message });

  if (network.mode === 'public' && network.nat) fault('nat', 'has no meaning when network.mode is "public"; remove it');
  const own = parseCidr(network.cidr);
  if (own && (own.prefix < 16 || own.prefix > 24)) {
    fault('cidr', `must be between /16 (the largest VPC) and /24 (room for six subnets), is ${network.cidr}`);
  }
  for (const [taken, use] of [
    [POD_CIDR, 'pods'],
    [SERVICE_CIDR, 'services'],
  ] as const) {
    const other = parseCidr(taken);
    if (own && other && overlap(own, other)) fault('cidr', `must not overlap ${taken}, which K3s uses for ${use}`);
  }
  const zones = network.availabilityZones;
  if (!zones) return faults;
  if (zones.length < 3 || zones.length > 5) {
    fault(
      'availabilityZones',
      `must be 3 to 5 zones, are ${zones.length} (etcd keeps its majority when one zone fails)`,
    );
  }
  if (new Set(zones).size < zones.length) fault('availabilityZones', 'must be different zones, one is listed twice');
  for (const [index, zone] of zones.entries()) {
    if (region ? zone.slice(0, -1) !== region : zone.slice(0, -1) !== zones[0]?.slice(0, -1)) {
      fault(`availabilityZones.${index}`, `must be in ${region ?? 'the region of the first zone'}, is ${zone}`);
    }
  }
  return faults;
}
