/** How tools begin and end: exit code 2 for what was typed wrongly, 1 for failure, and one clear line about either. */
import { ConfigError } from '../infra/config-error';
import { type Flags, helpText, parseLine, type Tool, UsageError, type Values } from './arguments';

/** It could not be done, and everything about it is in the message: no stack trace helps. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
}

/**
 * Runs a tool with what was typed, or prints its help.
 * @param main gets the flags, and the words of a tool that takes any; resolves to the exit code
 */
export function runTool<F extends Flags>(
  tool: Tool<F>,
  main: (flags: Values<F>, words: string[]) => Promise<number>,
): void {
  runMain(async (line) => {
    const { help, flags, words } = parseLine(tool, line);
    if (!help) return main(flags, words);
    console.log(helpText(tool));
    return 0;
  });
}

/** Runs the main function of a program without flags, and sets the exit code that it returns. */
export function runMain(main: (line: string[]) => Promise<number>): void {
  // The AWS SDK otherwise prints six lines about next year's Node.js between ours.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      const usage = error instanceof UsageError || error instanceof ConfigError;
      const clear = usage || error instanceof ToolError;
      process.stderr.write(`${clear ? error.message : describe(error)}\n`);
      process.exitCode = usage ? 2 : 1;
    },
  );
}

/** AWS' refusals have a name and a message and say it all; anything else is a fault of this program. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return '$metadata' in error || error.cause !== undefined
    ? `${error.name}: ${error.message}`
    : (error.stack ?? error.message);
}
