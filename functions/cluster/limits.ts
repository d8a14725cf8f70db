/** The numbers behind the rules; the defaults are those of the safety rules. */
export interface Limits {
  /** For how long two signals must agree, or an instance be stopped, before it is replaced (rule 7). */
  dwellSeconds: number;
  /** A machine that has not joined this long after its launch is failed and retired (rule 2). */
  joinSeconds: number;
  /** Replacements per rolling hour; one more is refused (rule 8). */
  replacementsPerHour: number;
}

export const DEFAULT_LIMITS: Limits = { dwellSeconds: 90, joinSeconds: 600, replacementsPerHour: 3 };
