import type { z } from 'zod';
import { AwsError, type Provision, type Provisioned } from './service';

/**
 * Ties a CloudFormation resource type to the schema of the properties that are modelled.
 *
 * @throws AwsError ValidationError naming the resource and every property that is unknown or wrong
 */
export function provision<Properties>(
  type: string,
  schema: z.ZodType<Properties>,
  create: (properties: Properties, logicalId: string) => Provisioned | Promise<Provisioned>,
): Provision {
  return async (logicalId, raw) => {
    const parsed = schema.safeParse(raw);
    if (!parsed.success) {
      const faults = parsed.error.issues.map((issue) => {
        const path = issue.path.map(String).join('/');
        if (issue.code !== 'unrecognized_keys') return `#/${path}: ${issue.message}`;
        return `#/${path}: the embedded AWS does not model ${issue.keys.join(', ')}`;
      });
      throw new AwsError('ValidationError', `${logicalId} (${type}): ${faults.join('; ')}`);
    }
    try {
      return await create(parsed.data, logicalId);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new AwsError(error.code, `${logicalId} (${type}): ${error.message}`, error.status, error.detail);
    }
  };
}
