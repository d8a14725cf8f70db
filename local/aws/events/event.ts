/** Events as they travel on the default event bus. */

/** https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface BusEvent {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** ISO 8601, whole seconds. */
  time: string;
  region: string;
  resources: string[];
  detail: unknown;
}

/** What a service says about something that happened; the bus adds the rest. */
export interface ServiceEvent {
  /** `aws.states`, `aws.ec2`, … */
  source: string;
  detailType: string;
  resources: string[];
  detail: Record<string, unknown>;
}

/** Puts an event of an AWS service on the default bus. */
export type Emit = (event: ServiceEvent) => void;
