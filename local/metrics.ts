/** What services report to CloudWatch, as far as alarms of the stack look at it. */
import type { CloudWatch } from './aws/cloudwatch';
import type { Elbv2 } from './aws/elbv2';
import type { Lambda } from './aws/lambda';
import type { Clock } from './clock';

/**
 * How often the load balancer's nodes count their targets. CloudWatch gets one data point per minute with the minimum
 * and the maximum of its counts; how many those are is not published.
 */
const COUNT_EVERY_MS = 10_000;

/**
 * `HealthyHostCount` and `UnHealthyHostCount` of `AWS/NetworkELB`, `Invocations` and `Errors` of `AWS/Lambda`.
 * Sources: Network Load Balancers User Guide, "CloudWatch metrics"; Lambda Developer Guide, "Types of metrics".
 */
export function reportMetrics(
  clock: Clock,
  cloudwatch: CloudWatch,
  { elbv2, lambda }: { elbv2: Elbv2; lambda: Lambda },
): void {
  clock.every(COUNT_EVERY_MS, () => {
    for (const { dimensions, healthy, unhealthy } of elbv2.hostCounts()) {
      cloudwatch.record('AWS/NetworkELB', 'HealthyHostCount', { ...dimensions }, healthy);
      cloudwatch.record('AWS/NetworkELB', 'UnHealthyHostCount', { ...dimensions }, unhealthy);
    }
  });
  lambda.onInvocation((FunctionName, what) => {
    cloudwatch.record('AWS/Lambda', what === 'invoked' ? 'Invocations' : 'Errors', { FunctionName }, 1);
  });
}
