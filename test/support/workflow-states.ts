import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { pascal } from '../../infra/names';

/** Nested states lie in Maps and Parallels; all that is of interest here is which function a state calls. */
interface Machine {
  States: Record<string, State>;
}
const STATE = z.looseObject({
  Arguments: z.looseObject({ FunctionName: z.string().optional() }).optional(),
  get ItemProcessor() {
    return MACHINE.optional();
  },
  get Branches() {
    return z.array(MACHINE).optional();
  },
});
type State = z.infer<typeof STATE>;
const MACHINE: z.ZodType<Machine> = z.looseObject({
  get States() {
    return z.record(z.string(), STATE);
  },
});

function calls({ States }: Machine): [state: string, fn: string][] {
  return Object.entries(States).flatMap(([name, { Arguments, ItemProcessor, Branches = [] }]) => [
    ...(Arguments?.FunctionName ? [[name, Arguments.FunctionName] satisfies [string, string]] : []),
    ...[...(ItemProcessor ? [ItemProcessor] : []), ...Branches].flatMap(calls),
  ]);
}

const CALLS = ['cluster', 'delete-cluster'].flatMap((name) =>
  calls(MACHINE.parse(JSON.parse(readFileSync(join(__dirname, `../../statemachine/${name}.asl.json`), 'utf8')))),
);

/** Names of the states that call a function: `check-server` → AwaitRunning, AwaitTerminated. */
export function statesThatCall(step: string): string[] {
  return CALLS.filter(([, fn]) => fn === `\${${pascal(step)}Arn}`).map(([state]) => state);
}
