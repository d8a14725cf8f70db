/** The numbers behind the rules; the defaults are those of the safety rules. */
export interface Limits {
  /** For how long two signals must agree, or an instance be stopped, before it is replaced (rule 7). */
  dwellSeconds: number;
  /** Looks further apart than this do not prove that a signal lasted in between: the dwell starts anew. */
  unbrokenSeconds: number;
  /** A machine that has not joined this long after its launch is failed and retired (rule 2). */
  joinSeconds: number;
  /** Replacements per rolling hour; one more is refused (rule 8). */
  replacementsPerHour: number;
  /** Wait before the third launch for a slot whose machines do not join; doubled for each one after it (rule 8). */
  backoffSeconds: number;
}

export const DEFAULT_LIMITS: Limits = {
  dwellSeconds: 90,
  unbrokenSeconds: 150,
  joinSeconds: 600,
  replacementsPerHour: 3,
  backoffSeconds: 120,
};
