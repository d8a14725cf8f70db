import * as z from 'zod/mini';
import { INSTANCE_ID } from '../../contracts';
import { parser } from './event';

/**
 * EC2 says nothing but the id and the state; tags are gone soon after a termination. Best effort delivery.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html
 */
export const instanceStateChange = parser(
  'aws.ec2',
  'EC2 Instance State-change Notification',
  z.object({ 'instance-id': INSTANCE_ID, state: z.string() }),
  ({ 'instance-id': instanceId, state }) => ({ what: `${instanceId} is ${state}`, instanceIds: [instanceId] }),
);
