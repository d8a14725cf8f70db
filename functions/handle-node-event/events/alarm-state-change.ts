import * as z from 'zod/mini';
import { parser } from './event';

/**
 * The load balancer's healthy hosts are fewer than servers, or enough again. The metric names no instance.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
 */
export const alarmStateChange = parser(
  'aws.cloudwatch',
  'CloudWatch Alarm State Change',
  z.object({ alarmName: z.string(), state: z.object({ value: z.string() }) }),
  ({ alarmName, state }) => ({ what: `alarm ${alarmName} is ${state.value}`, instanceIds: [] }),
);
