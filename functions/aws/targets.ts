/** The load balancer's target groups: who receives traffic. */
import {
  DeregisterTargetsCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { TargetGroupName, TargetHealth } from '../cluster/observation';
import { type ClientSettings, clientSettings } from './client';
import { attempt, isInvalidTarget } from './errors';

export type TargetGroups = Record<TargetGroupName, string>;

/** In the order of a request's way: for people. */
export const TARGET_GROUP_NAMES: readonly TargetGroupName[] = ['http', 'https', 'api'];

const HEALTH: readonly TargetHealth[] = ['initial', 'healthy', 'unhealthy', 'draining', 'unused'];

export class Targets {
  private readonly client: ElasticLoadBalancingV2Client;

  constructor(
    settings: ClientSettings,
    private readonly groups: TargetGroups,
  ) {
    this.client = new ElasticLoadBalancingV2Client(clientSettings(settings));
  }

  /** Registers with every group, on each group's own port. @throws InvalidTarget, see isInvalidTarget */
  async register(instanceId: string): Promise<number> {
    await this.each('RegisterTargets', (TargetGroupArn) =>
      this.client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: instanceId }] })),
    );
    return TARGET_GROUP_NAMES.length;
  }

  /** Deregisters from every group; a target that is none is what was wanted. */
  async deregister(instanceId: string): Promise<number> {
    await this.each('DeregisterTargets', async (TargetGroupArn) => {
      try {
        await this.client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: instanceId }] }));
      } catch (error) {
        if (!isInvalidTarget(error)) throw error;
      }
    });
    return TARGET_GROUP_NAMES.length;
  }

  /** Instance id → health, of the targets registered with one group. */
  async health(group: TargetGroupName): Promise<Map<string, TargetHealth>> {
    const { TargetHealthDescriptions = [] } = await attempt('DescribeTargetHealth', () =>
      this.client.send(new DescribeTargetHealthCommand({ TargetGroupArn: this.groups[group] })),
    );
    return new Map(
      TargetHealthDescriptions.map(({ Target, TargetHealth }) => [
        Target?.Id ?? '',
        HEALTH.find((health) => health === TargetHealth?.State) ?? 'unknown',
      ]),
    );
  }

  private async each(operation: string, call: (targetGroupArn: string) => Promise<unknown>): Promise<void> {
    await Promise.all(TARGET_GROUP_NAMES.map((name) => attempt(operation, () => call(this.groups[name]))));
  }
}
