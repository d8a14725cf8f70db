/** TransactWriteItems: all or nothing, with one cancellation reason per item. */
import { AwsError } from '../service';
import { invalid } from './errors';
import type { TransactWrite } from './inputs';
import type { Table } from './table';
import { commit, conditionCheck, deleteWrite, type Plan, putWrite, updateWrite, type Write } from './write';

interface Reason {
  Code: string;
  Message?: string;
  Item?: unknown;
}

/** Throws ValidationException for a faulty request, TransactionCanceledException when any item refuses its write. */
export function transact(items: readonly TransactWrite[], tableOf: (name: string) => Table): void {
  const writes = items.map((item) => toWrite(item, tableOf));
  const places = new Set(writes.map(({ table, identity }) => `${table.definition.arn} ${identity}`));
  if (places.size < writes.length) {
    throw invalid('Transaction request cannot include multiple operations on one item');
  }
  const outcomes = writes.map(attempt);
  if (outcomes.some(({ plan }) => !plan)) throw cancelled(outcomes.map(({ reason }) => reason));
  for (const { plan } of outcomes) if (plan) commit(plan, 2);
}

function toWrite(item: TransactWrite, tableOf: (name: string) => Table): Write {
  const given = Object.values(item).filter((part) => part !== undefined);
  if (given.length !== 1) {
    throw invalid('TransactItems can only contain one of Check, Put, Update or Delete');
  }
  if (item.Put) return putWrite(item.Put, tableOf(item.Put.TableName));
  if (item.Update) return updateWrite(item.Update, tableOf(item.Update.TableName));
  if (item.Delete) return deleteWrite(item.Delete, tableOf(item.Delete.TableName));
  const check = item.ConditionCheck!;
  return conditionCheck(check, tableOf(check.TableName));
}

function attempt(write: Write): { plan?: Plan; reason: Reason } {
  try {
    return { plan: write.plan(), reason: { Code: 'None' } };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const Code = error.code === 'ConditionalCheckFailedException' ? 'ConditionalCheckFailed' : 'ValidationError';
    return { reason: { Code, Message: error.message, ...error.detail } };
  }
}

function cancelled(reasons: Reason[]): AwsError {
  const codes = reasons.map(({ Code }) => Code).join(', ');
  return new AwsError(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    400,
    { CancellationReasons: reasons },
  );
}
