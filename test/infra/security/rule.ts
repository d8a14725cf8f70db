/** Rules about a whole template. Each is a function, so that a test can also see it fail. */
import type { Config } from '../../../infra/config';
import type { Template } from '../stack';

export interface Subject {
  readonly template: Template;
  readonly config: Config;
}

/** @returns one line for each violation; none: the template keeps the rule */
export type Rule = (subject: Subject) => string[] | Promise<string[]>;
