import * as z from 'zod/mini';
import { CUSTOM_RESOURCE, CUSTOM_RESOURCE_ANSWER, ENV } from '../contracts';

/** A CloudFormation custom resource: the echo service's image, built where the cluster is deployed. */
export const Input = CUSTOM_RESOURCE;
export const Output = CUSTOM_RESOURCE_ANSWER;
export const Env = z.object({ ...ENV, PROJECT: z.string().check(z.minLength(1)) });
export const errors = [] as const;
