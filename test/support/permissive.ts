import type { Permits } from '../../local/aws/iam';

/** Lets everybody do everything: for tests of services that are not about permissions. */
export const PERMISSIVE: Permits = {
  refusal: () => undefined,
  serviceRefusal: () => undefined,
  assumeRefusal: () => undefined,
};
