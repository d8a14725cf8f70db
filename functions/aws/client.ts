/** How every AWS client of the functions is set up. */
import type { EC2ClientConfig } from '@aws-sdk/client-ec2';

/** What a platform may say about clients; none of it is specific to a service. */
export type ClientSettings = Pick<
  EC2ClientConfig,
  'region' | 'endpoint' | 'credentials' | 'requestHandler' | 'retryStrategy' | 'maxAttempts'
>;

/**
 * Bounds: a function lives 30 s, so a call that hangs fails while there is time left to try it again, and three attempts
 * with the pauses between them end before the function does: its own error says more than a timeout.
 * `throwOnRequestTimeout` because the SDK only warns otherwise (@smithy/node-http-handler, `requestTimeout`).
 */
export function clientSettings(platform: ClientSettings): ClientSettings & { retryMode: string } {
  return {
    retryMode: 'standard',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 8000, throwOnRequestTimeout: true },
    ...platform,
  };
}
