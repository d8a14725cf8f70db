/** Who calls: every Lambda, node and user of the embedded AWS signs with credentials that name its principal. */
import type { Hold } from './clock';
import type { Random } from './random';

export interface Caller {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** ARN: an assumed role's session, or the account's root user. */
  principal: string;
  /** The hold of the process that makes the calls, so that virtual time moves while it waits for an answer. */
  hold?: Hold;
}

export class Credentials {
  private readonly callers = new Map<string, Caller>();

  constructor(private readonly random: Random) {}

  issue(principal: string): Caller {
    const caller: Caller = {
      accessKeyId: `ASIA${this.random.hex(16).toUpperCase()}`,
      secretAccessKey: this.random.hex(40),
      sessionToken: this.random.hex(64),
      principal,
    };
    this.callers.set(caller.accessKeyId, caller);
    return caller;
  }

  lookup(accessKeyId: string): Caller | undefined {
    return this.callers.get(accessKeyId);
  }
}
