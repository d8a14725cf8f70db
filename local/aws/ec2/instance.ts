import type { Machine } from '../../machine';
import type { InstanceType } from './instance-types';
import type { LaunchTemplateData } from './launch-templates';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html */
export const STATE_CODES = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const;

export type InstanceState = keyof typeof STATE_CODES;

export interface Volume {
  volumeId: string;
  device: string;
  sizeGiB: number;
  type: string;
  encrypted: boolean;
  iops?: number;
  throughput?: number;
  kmsKeyId?: string;
  deleteOnTermination: boolean;
  zone: string;
  createdAt: number;
  /** Undefined when the instance it was attached to has terminated and left it. */
  instanceId?: string;
  tags: Map<string, string>;
}

export interface NetworkInterface {
  networkInterfaceId: string;
  macAddress: string;
  instanceId: string;
  subnetId: string;
  vpcId: string;
  zone: string;
  privateIp: string;
  publicIp?: string;
  groups: string[];
  attachedAt: number;
  tags: Map<string, string>;
}

export interface Instance {
  instanceId: string;
  reservationId: string;
  imageId: string;
  type: InstanceType;
  subnetId: string;
  vpcId: string;
  zone: string;
  /** Empty once terminated. */
  privateIp: string;
  publicIp?: string;
  groups: string[];
  createdAt: number;
  /** Of the last start, ms. */
  launchedAt: number;
  clientToken?: string;
  state: InstanceState;
  stateReason?: { code: string; message: string };
  /** Of the last change that a caller asked for. */
  transitionReason: string;
  profileArn?: string;
  roleArn?: string;
  userData: string;
  metadataOptions: LaunchTemplateData['MetadataOptions'];
  monitoring: boolean;
  ebsOptimized: boolean;
  terminationProtected: boolean;
  tags: Map<string, string>;
  volumes: Volume[];
  networkInterface?: NetworkInterface;
  /** Counts power changes: a timer of an earlier one must not act. */
  epoch: number;
  /** When it was last seen running, ms. */
  runningAt?: number;
  machine?: Machine;
  /** Settles when its host has done everything it was asked to do with it. */
  hosted: Promise<void>;
  /** Since when nothing on it answers although EC2 says running, ms. */
  unreachableSince?: number;
}
