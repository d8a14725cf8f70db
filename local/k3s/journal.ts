/** The journal of a machine: on disk, so it survives a reboot. */
import type { Clock } from '../clock';

export interface Entry {
  /** Epoch ms. */
  at: number;
  identifier: 'k3s' | 'systemd';
  message: string;
}

/** journald rotates; nobody here reads further back. */
const KEPT = 2000;

export class Journal {
  private entries: Entry[] = [];

  constructor(private readonly clock: Clock) {}

  systemd(message: string): void {
    this.add('systemd', message);
  }

  /** A line as logrus writes it: quotes within the message are escaped. */
  k3s(level: 'info' | 'warning' | 'error' | 'fatal', message: string): void {
    const time = `${new Date(this.clock.now()).toISOString().slice(0, 19)}Z`;
    this.add('k3s', `time="${time}" level=${level} msg=${JSON.stringify(message)}`);
  }

  read({ since = 0, lines = Number.POSITIVE_INFINITY }: { since?: number; lines?: number }): Entry[] {
    const found = this.entries.filter(({ at }) => at >= since);
    return lines >= found.length ? found : found.slice(found.length - lines);
  }

  private add(identifier: Entry['identifier'], message: string): void {
    this.entries.push({ at: this.clock.now(), identifier, message });
    if (this.entries.length > KEPT) this.entries = this.entries.slice(-KEPT / 2);
  }
}
