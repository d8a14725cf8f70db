import * as z from 'zod/mini';
import { ADDRESS, ENV, INSTANCE_ID } from '../contracts';

export const Input = z.strictObject({ instanceId: INSTANCE_ID, until: z.enum(['running', 'terminated']) });
export const Output = z.strictObject({
  instanceId: INSTANCE_ID,
  state: z.enum(['running', 'terminated']),
  availabilityZone: z.nullable(z.string()),
  privateIp: z.nullable(ADDRESS),
});
export const Env = z.object({ ...ENV });
/** ServerNotYet: ask again. ServerLost: it ended (with EC2's state reason) while it should have come up. */
export const errors = ['ServerNotYet', 'ServerLost'] as const;
