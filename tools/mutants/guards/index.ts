import type { Guard } from '../guard';
import { ADAPTERS } from './adapters';
import { DECISIONS } from './decisions';
import { EVENTS } from './events';
import { NODES } from './nodes';
import { STEPS } from './steps';
import { WORKFLOW } from './workflow';

/** Every guard that is taken out, one at a time. */
export const GUARDS: readonly Guard[] = [...DECISIONS, ...STEPS, ...ADAPTERS, ...EVENTS, ...WORKFLOW, ...NODES];
