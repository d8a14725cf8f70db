/** The attributes of load balancers and target groups that a network load balancer knows, with their defaults. */
import { z } from 'zod';
import { AwsError } from '../service';

const FLAG = /^(true|false)$/;
const COUNT_OR_OFF = /^(off|[1-9]\d{0,2})$/;

type Known = Record<string, { default: string; form: RegExp }>;

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html */
export const LOAD_BALANCER_ATTRIBUTES: Known = {
  'access_logs.s3.bucket': { default: '', form: /^.*$/ },
  'access_logs.s3.enabled': { default: 'false', form: FLAG },
  'access_logs.s3.prefix': { default: '', form: /^.*$/ },
  'deletion_protection.enabled': { default: 'false', form: FLAG },
  'dns_record.client_routing_policy': {
    default: 'any_availability_zone',
    form: /^(any_availability_zone|availability_zone_affinity|partial_availability_zone_affinity)$/,
  },
  'ipv6.deny_all_igw_traffic': { default: 'false', form: FLAG },
  'load_balancing.cross_zone.enabled': { default: 'false', form: FLAG },
  'zonal_shift.config.enabled': { default: 'false', form: FLAG },
};

/** https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html */
export const TARGET_GROUP_ATTRIBUTES: Known = {
  'deregistration_delay.connection_termination.enabled': { default: 'false', form: FLAG },
  'deregistration_delay.timeout_seconds': { default: '300', form: /^([0-9]|[1-9]\d{1,2}|[12]\d{3}|3[0-5]\d{2}|3600)$/ },
  'load_balancing.cross_zone.enabled': {
    default: 'use_load_balancer_configuration',
    form: /^(true|false|use_load_balancer_configuration)$/,
  },
  'preserve_client_ip.enabled': { default: 'true', form: FLAG },
  'proxy_protocol_v2.enabled': { default: 'false', form: FLAG },
  'stickiness.enabled': { default: 'false', form: /^false$/ },
  'stickiness.type': { default: 'source_ip', form: /^source_ip$/ },
  'target_group_health.dns_failover.minimum_healthy_targets.count': { default: '1', form: COUNT_OR_OFF },
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': { default: 'off', form: COUNT_OR_OFF },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': { default: '1', form: /^1$/ },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': { default: 'off', form: /^off$/ },
  'target_health_state.unhealthy.connection_termination.enabled': { default: 'true', form: FLAG },
  'target_health_state.unhealthy.draining_interval_seconds': { default: '0', form: /^0$/ },
};

export const ATTRIBUTE_LIST = z.array(z.strictObject({ Key: z.string(), Value: z.string() })).default([]);

/**
 * All attributes, as given or by default.
 *
 * @throws AwsError ValidationError naming what is unknown, wrong or not modelled
 */
export function attributesOf(given: z.infer<typeof ATTRIBUTE_LIST>, known: Known): Map<string, string> {
  const attributes = new Map(Object.entries(known).map(([key, { default: value }]) => [key, value]));
  for (const { Key, Value } of given) {
    const attribute = Object.hasOwn(known, Key) ? known[Key] : undefined;
    if (!attribute) throw new AwsError('ValidationError', `Attribute key '${Key}' is not recognized`);
    if (!attribute.form.test(Value)) {
      throw new AwsError('ValidationError', `Attribute value '${Value}' of '${Key}' is not valid or not modelled`);
    }
    attributes.set(Key, Value);
  }
  return attributes;
}
