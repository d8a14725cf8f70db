/** The errors of the Step Functions API, with AWS's messages. */
import { AwsError } from '../service';

export const executionDoesNotExist = (arn: string) =>
  new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);

export const stateMachineDoesNotExist = (arn: string) =>
  new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);

export const executionAlreadyExists = (arn: string) =>
  new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);

export const invalidName = (name: string) => new AwsError('InvalidName', `Invalid Name: '${name}'`);

export const invalidInput = (why: string) =>
  new AwsError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${why}'`);

export const invalidToken = () => new AwsError('InvalidToken', "Invalid Token: 'Invalid token'");

export const invalidOutput = (why: string) => new AwsError('InvalidOutput', `Invalid Output: '${why}'`);

export const taskTimedOut = () =>
  new AwsError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");

export const invalidDefinition = (why: string) => new AwsError('InvalidDefinition', why);

export const roleNotAssumable = () =>
  new AwsError(
    'AccessDeniedException',
    'Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.',
  );

export const logDestinationRefused = () =>
  new AwsError('AccessDeniedException', 'The state machine IAM Role is not authorized to access the Log Destination');
