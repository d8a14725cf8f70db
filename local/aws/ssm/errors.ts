/** SSM's exceptions, as its API reference names them. */
import { AwsError } from '../service';

export const invalidContent = (message: string) => new AwsError('InvalidDocumentContent', message);

export const invalidDocument = (name: string) =>
  new AwsError('InvalidDocument', `Document with name ${name} does not exist.`);

export const invalidDocumentVersion = (version: string) =>
  new AwsError('InvalidDocumentVersion', `The document version ${version} is not valid.`);

export const invalidParameters = (message: string) => new AwsError('InvalidParameters', message);

export const invalidInstances = (instanceIds: readonly string[], account: string) =>
  new AwsError(
    'InvalidInstanceId',
    `Instances [[${instanceIds.join(', ')}]] not in a valid state for account ${account}`,
  );

export const invocationDoesNotExist = () => new AwsError('InvocationDoesNotExist', '');
