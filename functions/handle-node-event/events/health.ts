import * as z from 'zod/mini';
import { instancesIn, parser } from './event';

/**
 * AWS announces or admits trouble. Entities are instance ids for EC2, other things for other services, or missing.
 * https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
 */
export const health = parser(
  'aws.health',
  'AWS Health Event',
  z.object({
    service: z.string(),
    eventTypeCode: z.string(),
    affectedEntities: z._default(z.array(z.object({ entityValue: z.string() })), []),
  }),
  ({ service, eventTypeCode, affectedEntities }, { resources }) => ({
    what: `AWS Health: ${eventTypeCode} of ${service}`,
    instanceIds: instancesIn([...affectedEntities.map(({ entityValue }) => entityValue), ...resources]),
  }),
);
