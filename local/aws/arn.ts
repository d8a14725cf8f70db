import type { World } from './service';

/** The ARN of a resource in this account and region: `arnOf(world, 'ec2', 'instance/i-1')`. */
export const arnOf = ({ region, account }: World, service: string, resource: string): string =>
  `arn:aws:${service}:${region}:${account}:${resource}`;
