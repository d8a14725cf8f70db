import type { Clock } from '../../clock';
import type { Faults } from '../../faults';
import type { Latency } from '../../latency';
import type { Endpoint } from '../../wire/http';
import type { Commands, K3sUrls, MachineEvents } from '../command';

/** What both machine hosts need. */
export interface HostOptions {
  clock: Clock;
  latency: Latency;
  /** The AWS API as the machines reach it. */
  endpoint: Endpoint;
  /** Whether packets between an address and what is outside the VPC arrive; always unless given. */
  online?(address: string): boolean;
  /** The K3s model: its programs, what it answers to `curl`, and what it wants to hear of machines. */
  commands: Commands;
  urls: K3sUrls;
  /** Which programs fail; none unless given. */
  faults?: Pick<Faults, 'fails'>;
  events: MachineEvents;
  /** One structured line for people; never a secret. */
  log(message: string, detail?: Record<string, unknown>): void;
}
