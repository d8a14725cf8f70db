/** One SendCommand call with the invocations it made. */
import type { z } from 'zod';
import type { SEND_COMMAND } from './inputs';
import type { Invocation, InvocationStatus } from './invocation';

export class Command {
  readonly invocations: Invocation[] = [];

  constructor(
    readonly id: string,
    readonly input: z.infer<typeof SEND_COMMAND>,
    readonly requestedAt: number,
  ) {}

  get documentVersion(): string {
    return this.input.DocumentVersion ?? '$DEFAULT';
  }

  /** The aggregate of the invocations; any failure fails the command, because MaxErrors is 0. */
  get status(): InvocationStatus {
    return this.open ?? this.failed?.status ?? 'Success';
  }

  get statusDetails(): string {
    return this.open ?? this.failed?.statusDetails ?? 'Success';
  }

  /** Undefined once every invocation is final. A command as a whole is never `Delayed`. */
  private get open(): 'Pending' | 'InProgress' | 'Cancelling' | undefined {
    const open = this.invocations.filter(({ isFinal }) => !isFinal);
    if (open.length === 0) return undefined;
    if (open.some(({ status }) => status === 'Cancelling')) return 'Cancelling';
    return this.invocations.every(({ status }) => status === 'Pending') ? 'Pending' : 'InProgress';
  }

  private get failed(): Invocation | undefined {
    return this.invocations.find(({ status }) => status !== 'Success');
  }
}
