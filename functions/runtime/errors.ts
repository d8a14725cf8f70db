/** What a function says of its configuration and of itself. Neither is worth a retry. */

/** An environment variable is missing or ill-typed. */
export class InvalidEnvironment extends Error {
  override readonly name = 'InvalidEnvironment';

  constructor(faults: string[]) {
    super(`the environment is not valid: ${faults.join('; ')}`);
  }
}

/** The step broke its own contract. */
export class InvalidOutput extends Error {
  override readonly name = 'InvalidOutput';

  constructor(faults: string[]) {
    super(`the output is not valid: ${faults.join('; ')}`);
  }
}

/** An event is not what its type promises; the message names the fields. */
export class MalformedEvent extends Error {
  override readonly name = 'MalformedEvent';
}
