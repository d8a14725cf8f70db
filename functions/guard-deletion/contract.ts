import * as z from 'zod/mini';
import { CUSTOM_RESOURCE, CUSTOM_RESOURCE_ANSWER, ENV } from '../contracts';

/** A CloudFormation custom resource: its deletion fails while instances of the cluster exist. */
export const Input = CUSTOM_RESOURCE;
export const Output = CUSTOM_RESOURCE_ANSWER;
export const Env = z.object({ ...ENV });
export const errors = [] as const;
