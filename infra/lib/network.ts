import { Fn } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Config } from '../config';
import { securityGroups } from './security-groups';

const DEFAULT_ZONES = 3;

/** VPC over at least three zones, with the security groups of the nodes and of the load balancer. */
export class Network extends Construct {
  readonly vpc: ec2.Vpc;
  readonly nodeGroupId: string;
  readonly loadBalancerGroupId: string;
  /** One per zone: slot i lives in element i modulo their number. */
  readonly nodeSubnets: readonly ec2.ISubnet[];
  readonly publicSubnets: readonly ec2.ISubnet[];

  constructor(scope: Construct, id: string, config: Config) {
    super(scope, id);
    const { mode, nat, cidr } = config.network;
    const availabilityZones = zonesOf(config);
    const isPrivate = mode === 'private';
    this.vpc = new ec2.Vpc(this, 'Vpc', {
      ipAddresses: ec2.IpAddresses.cidr(cidr),
      availabilityZones,
      // In private mode only the load balancer and the NAT gateways live in public subnets; both bring their addresses.
      subnetConfiguration: isPrivate
        ? [
            { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
            { name: 'Private', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS },
          ]
        : [{ name: 'Public', subnetType: ec2.SubnetType.PUBLIC }],
      natGateways: isPrivate ? (nat === 'single' ? 1 : availabilityZones.length) : 0,
      // Free, and keeps manifests, packages and (later) snapshots off the NAT gateway's bill.
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
      // Its custom resource would need ec2:RevokeSecurityGroup* on the default group, which nothing here uses.
      restrictDefaultSecurityGroup: false,
    });
    this.publicSubnets = this.vpc.publicSubnets;
    this.nodeSubnets = isPrivate ? this.vpc.privateSubnets : this.vpc.publicSubnets;

    const groups = securityGroups(this, config, this.vpc.vpcId);
    this.nodeGroupId = groups.nodes;
    this.loadBalancerGroupId = groups.loadBalancer;
  }
}

/**
 * Explicit zones. `maxAzs: 3` in a stack without a concrete environment would silently mean two, because CDK then knows
 * of two only.
 */
function zonesOf(config: Config): string[] {
  return (
    config.network.availabilityZones ??
    Array.from({ length: DEFAULT_ZONES }, (_, index) => Fn.select(index, Fn.getAzs()))
  );
}
