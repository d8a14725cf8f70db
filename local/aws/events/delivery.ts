/** Brings an event to one target of a rule, with EventBridge's delays, retries and permissions. */
import type { ServiceCaller } from '../iam/authority';
import type { LambdaInvoker } from '../lambda/invoker';
import { AwsError, type World } from '../service';
import type { BusEvent } from './event';
import { inputFor } from './input';
import { kindOf, type Rule, type Target } from './rule';

export interface Targets {
  lambda: LambdaInvoker & {
    /** Why the service may not invoke the function. */
    invokeRefusal(functionArn: string, service: ServiceCaller): string | undefined;
  };
  states: {
    /** @throws AwsError when the service may not assume the role, or the role may not start the state machine. */
    startAs(service: ServiceCaller, roleArn: string, stateMachineArn: string, input: string): unknown;
  };
  sns: {
    /** @throws AwsError when the topic's policy does not admit the service. */
    publishAs(service: ServiceCaller, topicArn: string, message: string, subject?: string): void;
  };
}

export interface Delivery {
  event: BusEvent;
  rule: Rule;
  target: Target;
}

const PRINCIPAL = 'events.amazonaws.com';
/** First wait before a retry; it doubles, up to the longest, with jitter. No published figures. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 3_600_000;

/**
 * Delivers, retrying what may pass: throttling and errors of the service. Permissions and missing targets are final
 * (User Guide, "How EventBridge retries delivering events").
 * @throws AwsError the last error
 */
export async function deliver(world: World, targets: Targets, { event, rule, target }: Delivery): Promise<void> {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds } = target.RetryPolicy;
  const begun = world.clock.now();
  for (let made = 0; ; made++) {
    try {
      return await attempt(world, targets, { event, rule, target });
    } catch (error) {
      const wait = Math.min(FIRST_RETRY_MS * 2 ** made, LONGEST_RETRY_MS) * (0.5 + world.random.next() / 2);
      const tooOld = world.clock.now() + wait - begun > MaximumEventAgeInSeconds * 1000;
      if (!mayPass(error) || made >= MaximumRetryAttempts || tooOld) throw error;
      await world.clock.sleep(wait);
    }
  }
}

const mayPass = (error: unknown) =>
  error instanceof AwsError && (error.status >= 500 || /Throttl|TooManyRequests|LimitExceeded/.test(error.code));

async function attempt(world: World, targets: Targets, { event, rule, target }: Delivery): Promise<void> {
  const input = inputFor(event, rule, target);
  const service = { name: PRINCIPAL, sourceArn: rule.arn };
  switch (kindOf(target)) {
    case 'lambda': {
      const denied = targets.lambda.invokeRefusal(target.Arn, service);
      if (denied !== undefined) throw new AwsError('AccessDeniedException', denied, 403);
      const requestId = world.random.uuid();
      await targets.lambda.invoke({ functionName: target.Arn, payload: input, invocationType: 'Event', requestId });
      return;
    }
    case 'states':
      targets.states.startAs(service, target.RoleArn ?? '', target.Arn, input);
      return;
    case 'sns':
      targets.sns.publishAs(service, target.Arn, input);
  }
}
