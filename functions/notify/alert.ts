/** What people are told, before it is put into words. */

/** One message about one incident. */
export interface Alert {
  incident: string;
  /** Epoch ms. */
  at: number;
  /** What happened, in a few words; becomes the subject. */
  headline: string;
  /** What is the case. */
  reason: string;
  /** Since when, epoch ms; null when that is not known. */
  since: number | null;
  decision: string;
  /** What is different now; null when nothing is. */
  changed: string | null;
  todo: string;
  /** Null: nobody has looked; the record is asked. */
  paused: boolean | null;
  /** ARN of the execution to look at. */
  execution: string | null;
  /** Section of docs/operations.md. */
  runbook: string;
  /** Everything is well again: whatever happens from now on is news. */
  resolves: boolean;
}
