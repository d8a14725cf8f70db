/** Asks the servers how they are: one command to all of them, so that they answer at the same time. */
import type { ServerReport } from '../cluster/observation';
import { SCRIPT_OUTPUT } from '../contracts';
import { lastLines, parseScriptOutput } from '../runtime/script-output';
import type { Commands, Invocation } from './commands';
import { explain, isInvalidInstance } from './errors';
import { readReport } from './view';

/**
 * Answers take a few seconds. Twenty looks are fifteen seconds and what the calls take; the limit is for calls that are
 * slow themselves, because a function lives 30 s.
 */
const POLL_MS = 750;
const POLLS = 20;
const PATIENCE_MS = 18_000;
/**
 * Once most have answered, the others are waited for as long again, and at least this long: what the first ones said grows
 * old while a hanging server is waited for, and it is to be acted upon while it is fresh (safety rule 3).
 */
const STRAGGLER_MS = 3_000;

export interface Asking {
  commands: Pick<Commands, 'ask' | 'invocation'>;
  sleep(ms: number): Promise<void>;
  /** Epoch ms. */
  now(): number;
}

/**
 * Reports by instance id. A server without one did not answer in time; a report that could not be asked for, failed or
 * made no sense is named in `blind`.
 */
export async function collectReports(
  asking: Asking,
  instanceIds: string[],
  blind: string[],
): Promise<Map<string, ServerReport>> {
  const reports = new Map<string, ServerReport>();
  const begun = asking.now();
  const asked = await ask(asking, instanceIds, blind);
  const patience = new Patience(begun, asked.length);
  await Promise.all(
    asked.map(async ({ instanceId, commandId }) => {
      try {
        const invocation = await answer(asking, commandId, instanceId, patience);
        if (invocation) patience.heard(asking.now());
        const report = invocation && read(invocation);
        if (typeof report === 'string') blind.push(`ReportStatus on ${instanceId} ${report}`);
        else if (report) reports.set(instanceId, report);
      } catch (error) {
        blind.push(`ReportStatus on ${instanceId}: ${explain(error)}`);
      }
    }),
  );
  return reports;
}

/** Until when answers are waited for. */
class Patience {
  /** Epoch ms. */
  deadline: number;
  private answers = 0;

  constructor(
    private readonly begun: number,
    private readonly asked: number,
  ) {
    this.deadline = begun + PATIENCE_MS;
  }

  /** One more has answered. */
  heard(now: number): void {
    this.answers++;
    if (this.answers * 2 <= this.asked) return;
    this.deadline = Math.min(this.deadline, now + Math.max(now - this.begun, STRAGGLER_MS));
  }
}

interface Asked {
  instanceId: string;
  commandId: string;
}

/** SSM refuses the whole command for one instance that has just gone; then each is asked by itself. */
async function ask({ commands }: Asking, instanceIds: string[], blind: string[]): Promise<Asked[]> {
  if (instanceIds.length === 0) return [];
  try {
    const commandId = await commands.ask('ReportStatus', instanceIds);
    return instanceIds.map((instanceId) => ({ instanceId, commandId }));
  } catch (error) {
    if (!isInvalidInstance(error)) {
      blind.push(`ReportStatus: ${explain(error)}`);
      return [];
    }
  }
  const asked = await Promise.all(
    instanceIds.map(async (instanceId): Promise<Asked[]> => {
      try {
        return [{ instanceId, commandId: await commands.ask('ReportStatus', [instanceId]) }];
      } catch (error) {
        if (!isInvalidInstance(error)) blind.push(`ReportStatus on ${instanceId}: ${explain(error)}`);
        return [];
      }
    }),
  );
  return asked.flat();
}

/** Null: no answer in time. */
async function answer(
  { commands, now, sleep }: Asking,
  commandId: string,
  instanceId: string,
  patience: Patience,
): Promise<Invocation | null> {
  for (let poll = 0; poll < POLLS && now() + POLL_MS <= patience.deadline; poll++) {
    await sleep(POLL_MS);
    const invocation = await commands.invocation(commandId, instanceId);
    if (invocation?.finished) return invocation;
  }
  return null;
}

/** The report; null when it did not come to the script; what is wrong, when the script is at fault. */
function read({ status, exitCode, stdout, stderr }: Invocation): ServerReport | null | string {
  if (status === 'Success') {
    const output = parseScriptOutput(SCRIPT_OUTPUT.ReportStatus, stdout);
    return 'faults' in output ? `printed no report: ${output.faults.join('; ')}` : readReport(output.value);
  }
  if (status === 'Failed') return `exited ${exitCode}: ${lastLines(stderr, 1)}`;
  return null;
}
