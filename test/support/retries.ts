import type { RetryErrorInfo, RetryStrategyV2, RetryToken } from '@smithy/types';
import type { Random } from '../../local/random';

/** Attempts in all, as the functions configure their clients. */
const ATTEMPTS = 4;
/** Milliseconds. As in the SDK's standard mode: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
const BASE = { THROTTLING: 1000, TRANSIENT: 50 };
const CAP = 20_000;

class Attempt implements RetryToken {
  constructor(private readonly retries: number) {}
  getRetryCount = () => this.retries;
  getRetryDelay = () => 0;
}

/** The SDK's standard retries, but for two things: they wait in AWS time, and their jitter comes from the seed. */
export class VirtualRetries implements RetryStrategyV2 {
  constructor(
    private readonly random: Random,
    private readonly pause: (ms: number) => Promise<void>,
  ) {}

  async acquireInitialRetryToken(): Promise<RetryToken> {
    return new Attempt(0);
  }

  async refreshRetryTokenForRetry(token: RetryToken, { errorType }: RetryErrorInfo): Promise<RetryToken> {
    const retries = token.getRetryCount();
    const retryable = errorType === 'THROTTLING' || errorType === 'TRANSIENT';
    if (!retryable || retries + 1 >= ATTEMPTS) throw new Error('not to be tried again');
    await this.pause(this.random.next() * Math.min(CAP, BASE[errorType] * 2 ** retries));
    return new Attempt(retries + 1);
  }

  recordSuccess(): void {}
}
