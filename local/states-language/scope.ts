/** Workflow variables. Every flow has a scope of its own and can read the ones around it. */
import type { JsonObject } from './json';

export class Scope {
  private values: JsonObject = {};

  constructor(private readonly outer?: Scope) {}

  /** Everything that can be read here. */
  visible(): JsonObject {
    return { ...this.outer?.visible(), ...this.values };
  }

  assign(values: JsonObject): void {
    this.values = { ...this.values, ...values };
  }
}
