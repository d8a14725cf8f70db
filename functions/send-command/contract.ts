import * as z from 'zod/mini';
import { ENV, EXECUTION, INSTANCE_ID, PARAMETERS, SCRIPT } from '../contracts';

export const Input = z.strictObject({
  execution: EXECUTION,
  instanceId: INSTANCE_ID,
  script: SCRIPT,
  parameters: PARAMETERS,
});
export const Output = z.strictObject({ commandId: z.string(), instanceId: INSTANCE_ID, script: SCRIPT });
export const Env = z.object({ ...ENV, DOCUMENT_PREFIX: z.string() });
/** AgentOffline: SSM does not know the instance (yet); ask again. */
export const errors = ['LeaseLost', 'AgentOffline', 'ServerLost'] as const;
