/** What SSM needs to know of EC2. */
import type { Machine } from '../../machine';

export interface Instances {
  /** Told of every state change of every instance; returns the removal. */
  onState(listener: (instanceId: string, state: string) => void): () => void;
  /** The machine of an instance whose kernel is up. */
  machine(instanceId: string): Machine | undefined;
  instance(instanceId: string): { readonly tags: ReadonlyMap<string, string>; readonly roleArn?: string } | undefined;
}
