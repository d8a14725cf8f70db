/** Where in a template something is wrong: `logicalId (type) property: message`. */
export interface Place {
  logicalId?: string;
  type?: string;
  /** Path of the property, dotted. */
  property?: string;
}

export class DeploymentError extends Error {
  override readonly name = 'DeploymentError';

  constructor(
    readonly reason: string,
    readonly place: Place = {},
    options?: ErrorOptions,
  ) {
    const { logicalId, type, property } = place;
    const where = [logicalId, type && `(${type})`, property].filter(Boolean).join(' ');
    super(where ? `${where}: ${reason}` : reason, options);
  }
}
