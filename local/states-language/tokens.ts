/** Task tokens: a task with `.waitForTaskToken` ends when somebody sends its token back. */
import type { Random } from '../random';
import { StatesError } from './errors';
import type { Json } from './json';

/** Why a token was refused: never issued, or its task is over. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';

  constructor(readonly why: 'unknown' | 'over') {
    super(`the task of this token is ${why}`);
  }
}

interface Waiting {
  resolve(output: Json): void;
  reject(error: StatesError): void;
  beat(): void;
}

export interface OpenToken {
  readonly token: string;
  /** Settles with what was sent. */
  readonly result: Promise<Json>;
  close(): void;
}

export class TaskTokens {
  private readonly waiting = new Map<string, Waiting>();
  private readonly over = new Set<string>();

  constructor(private readonly random: Random) {}

  /** Issues a token; `beat` is called on every heartbeat. */
  open(beat: () => void): OpenToken {
    const token = `AQC8${Buffer.from(this.random.hex(96), 'hex').toString('base64')}`;
    const result = new Promise<Json>((resolve, reject) => this.waiting.set(token, { resolve, reject, beat }));
    // The task may end by a timeout while nobody listens to its token.
    result.catch(() => {});
    return {
      token,
      result,
      close: () => {
        this.waiting.delete(token);
        this.over.add(token);
      },
    };
  }

  /** @throws TokenRefused */
  succeed(token: string, output: Json): void {
    this.take(token).resolve(output);
  }

  /** @throws TokenRefused */
  fail(token: string, error?: string, cause?: string): void {
    this.take(token).reject(new StatesError(error, cause));
  }

  /** @throws TokenRefused */
  heartbeat(token: string): void {
    this.find(token).beat();
  }

  private take(token: string): Waiting {
    const waiting = this.find(token);
    this.waiting.delete(token);
    this.over.add(token);
    return waiting;
  }

  private find(token: string): Waiting {
    const waiting = this.waiting.get(token);
    if (!waiting) throw new TokenRefused(this.over.has(token) ? 'over' : 'unknown');
    return waiting;
  }
}
