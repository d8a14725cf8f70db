import * as z from 'zod/mini';
import { INSTANCE_ID } from '../../contracts';
import { parser } from './event';

/**
 * Two minutes before EC2 takes a spot instance back. Until then it is healthy, so this only is an occasion to look.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export const spotInterruption = parser(
  'aws.ec2',
  'EC2 Spot Instance Interruption Warning',
  z.object({ 'instance-id': INSTANCE_ID, 'instance-action': z.string() }),
  ({ 'instance-id': instanceId, 'instance-action': action }) => ({
    what: `EC2 is about to ${action} the spot instance ${instanceId}`,
    instanceIds: [instanceId],
  }),
);
