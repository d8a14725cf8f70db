import * as z from 'zod/mini';
import { ENV, EXECUTION, INSTANCE_ID, SCRIPT } from '../contracts';

export const Input = z.strictObject({
  execution: EXECUTION,
  commandId: z.string(),
  instanceId: INSTANCE_ID,
  script: SCRIPT,
});
/** The script's own output, see SCRIPT_OUTPUT. */
export const Output = z.record(z.string(), z.unknown());
export const Env = z.object({ ...ENV });
/**
 * CommandPending: ask again. TryAgain: the script exited 75, send it again. ScriptFailed: permanent; the cause names the
 * script, the exit code and the end of stderr. AgentLost: never delivered, or no answer within its limits.
 * InvalidScriptOutput: exit 0 without the one JSON line it promises.
 */
export const errors = ['CommandPending', 'TryAgain', 'ScriptFailed', 'AgentLost', 'InvalidScriptOutput'] as const;
