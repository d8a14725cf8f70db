/** DynamoDB's own exceptions. Texts as the service words them (also recorded by dynalite's conformance tests). */
import { AwsError } from '../service';
import type { Item } from './attribute-value';

export const invalid = (message: string): AwsError => new AwsError('ValidationException', message);

export const invalidParameter = (message: string): AwsError =>
  invalid(`One or more parameter values were invalid: ${message}`);

export const keyMismatch = (): AwsError => invalid('The provided key element does not match the schema');

/** `item` when the caller asked for it with ReturnValuesOnConditionCheckFailure. */
export const conditionFailed = (item?: Item): AwsError =>
  new AwsError('ConditionalCheckFailedException', 'The conditional request failed', 400, item ? { Item: item } : {});

export const tableNotFound = (message = 'Requested resource not found'): AwsError =>
  new AwsError('ResourceNotFoundException', message);
