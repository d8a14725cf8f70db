/**
 * The horizontal pod autoscaler without metrics: it keeps a Deployment between its bounds, which Kubernetes does whatever
 * the metrics say (reconcileAutoscaler in kubernetes pkg/controller/podautoscaler/horizontal.go).
 */
import type { Api } from './api';
import { Deployment } from './objects';
import { HorizontalPodAutoscaler } from './policies';

export function scaleAutomatically(api: Api): void {
  for (const object of api.list('HorizontalPodAutoscaler')) {
    const { metadata, spec } = HorizontalPodAutoscaler.parse(object);
    const target = api.get('Deployment', spec.scaleTargetRef.name, metadata.namespace);
    if (!target) continue;
    const deployment = Deployment.parse(target);
    const present = deployment.spec.replicas;
    // Somebody who scales to zero turns autoscaling off.
    const wanted = present === 0 ? 0 : Math.min(spec.maxReplicas, Math.max(spec.minReplicas, present));
    if (wanted !== present) api.update({ ...deployment, spec: { ...deployment.spec, replicas: wanted } });
    api.update({ ...object, status: { currentReplicas: present, desiredReplicas: wanted } });
  }
}
