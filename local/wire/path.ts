import { AwsError } from '../aws/service';

/**
 * A percent-encoded part of a path.
 *
 * @throws AwsError InvalidURI
 */
export function decodePath(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AwsError('InvalidURI', `Couldn't parse the specified URI: ${part}`);
  }
}
