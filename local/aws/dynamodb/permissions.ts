/**
 * What DynamoDB's operations need. A transaction needs what its parts would need by themselves.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
 */
import { arnOf } from '../arn';
import type { Need } from '../iam/need';
import type { World } from '../service';
import type { TransactWrite } from './inputs';

/** What an action on the table of an input needs. */
export type OnTable = (action: string) => (input: { TableName: string }) => Need[];

export const onTable =
  (world: World): OnTable =>
  (action) =>
  ({ TableName }) => [
    {
      action: `dynamodb:${action}`,
      // An input may name its table by its ARN.
      resource: TableName.startsWith('arn:') ? TableName : arnOf(world, 'dynamodb', `table/${TableName}`),
    },
  ];

export function transactNeeds({ Put, Update, Delete, ConditionCheck }: TransactWrite, may: OnTable): Need[] {
  return [
    ...(Put ? may('PutItem')(Put) : []),
    ...(Update ? may('UpdateItem')(Update) : []),
    ...(Delete ? may('DeleteItem')(Delete) : []),
    ...(ConditionCheck ? may('ConditionCheckItem')(ConditionCheck) : []),
  ];
}
