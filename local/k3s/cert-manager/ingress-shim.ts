/** Certificates for annotated Ingresses (https://cert-manager.io/docs/usage/ingress/). */
import { isDeepStrictEqual } from 'node:util';
import type { Api } from '../api';
import type { Ingress, KubeObject } from '../objects';
import { CERT_MANAGER, Certificate } from './objects';

export function requestCertificates(api: Api): void {
  for (const ingress of api.list<Ingress>('Ingress')) {
    const { annotations, name, namespace, uid = '' } = ingress.metadata;
    const cluster = annotations?.[`${CERT_MANAGER}/cluster-issuer`];
    const own = annotations?.[`${CERT_MANAGER}/issuer`];
    const issuer = cluster ?? own;
    const wanted = new Set<string>();
    for (const { hosts = [], secretName } of ingress.spec.tls ?? []) {
      if (issuer === undefined || secretName === undefined || hosts.length === 0) continue;
      wanted.add(secretName);
      put(api, {
        apiVersion: `${CERT_MANAGER}/v1`,
        kind: 'Certificate',
        metadata: {
          name: secretName,
          namespace,
          ownerReferences: [{ apiVersion: ingress.apiVersion, kind: 'Ingress', name, uid, controller: true }],
        },
        spec: {
          dnsNames: hosts,
          secretName,
          issuerRef: { name: issuer, kind: cluster === undefined ? 'Issuer' : 'ClusterIssuer', group: CERT_MANAGER },
          usages: ['digital signature', 'key encipherment'],
        },
      });
    }
    for (const object of api.list('Certificate', namespace)) {
      const mine = object.metadata.ownerReferences?.some((owner) => owner.uid === uid);
      if (mine && !wanted.has(object.metadata.name)) api.forget(object);
    }
  }
}

function put(api: Api, wanted: KubeObject): void {
  const existing = api.get('Certificate', wanted.metadata.name, wanted.metadata.namespace);
  if (!existing) {
    api.create(wanted);
    return;
  }
  // One that a person made is left alone.
  if (!existing.metadata.ownerReferences?.some(({ kind }) => kind === 'Ingress')) return;
  const { spec } = Certificate.parse(wanted);
  if (!isDeepStrictEqual(Certificate.parse(existing).spec, spec)) api.update({ ...existing, spec });
}
