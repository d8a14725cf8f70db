/**
 * What stands in for Let's Encrypt: which directories there are, which names it refuses and which it finds, and
 * certificates of authorities that nobody trusts. The embedded AWS has no public DNS: a name leads to the load balancer if
 * an Ingress of the cluster serves it, as if its owner had made the record that the README asks for.
 */
import type { World } from '../../aws/service';
import type { Certificate } from '../../network';
import type { Api } from '../api';
import type { Ingress } from '../objects';
import { type Authority, createAuthority, issue } from '../pki';

/** https://letsencrypt.org/docs/acme-protocol-updates/, by what people call them. */
const DIRECTORIES = new Map<string, string>([
  ['https://acme-staging-v02.api.letsencrypt.org/directory', "(STAGING) Stand-in for Let's Encrypt"],
  ['https://acme-v02.api.letsencrypt.org/directory', "Stand-in for Let's Encrypt"],
]);

/** The label on the Ingress of a challenge's own solver. */
export const SOLVER_LABEL = 'acme.cert-manager.io/http01-solver';

/** Names that end so are nobody's (RFC 6761, RFC 2606). */
const RESERVED = /(^|\.)(test|example|invalid|localhost|local|internal|arpa|onion)$/;
/** https://letsencrypt.org/docs/certificates-for-localhost/ and https://community.letsencrypt.org/t/12692 */
const FORBIDDEN = /(^|\.)(amazonaws\.com|example\.(com|net|org))$/;
/** https://letsencrypt.org/docs/faq/: certificates are valid for 90 days. */
const DAYS = 90;

export class Acme {
  private readonly authorities = new Map<string, Authority>();

  constructor(private readonly world: World) {}

  knows(directory: string): boolean {
    return DIRECTORIES.has(directory);
  }

  /** Why an order for names is refused; undefined when it is not. */
  refusal(names: readonly string[]): string | undefined {
    const problem = (name: string, detail: string) =>
      `400 urn:ietf:params:acme:error:rejectedIdentifier: Invalid identifiers requested :: Cannot issue for "${name}": ${detail}`;
    for (const name of names) {
      if (name.startsWith('*.')) return problem(name, 'Wildcard names need the DNS-01 challenge');
      if (RESERVED.test(name) || !name.includes('.')) {
        return problem(name, 'Domain name does not end with a valid public suffix (TLD)');
      }
      if (FORBIDDEN.test(name)) {
        return problem(
          name,
          'The ACME server refuses to issue a certificate for this domain name, because it is forbidden by policy',
        );
      }
    }
    return undefined;
  }

  /** Whether a name leads to the cluster. */
  leadsHere(api: Api, name: string): boolean {
    const served = api.list<Ingress>('Ingress').filter(({ metadata }) => metadata.labels?.[SOLVER_LABEL] === undefined);
    return served.some(({ spec }) => spec.rules.some(({ host }) => host?.toLowerCase() === name.toLowerCase()));
  }

  /** A certificate for names, with its authority's. */
  issue(directory: string, names: readonly [string, ...string[]]): { certificate: Certificate; notAfter: number } {
    const { random, clock } = this.world;
    const now = clock.now();
    let authority = this.authorities.get(directory);
    if (!authority) {
      authority = createAuthority(DIRECTORIES.get(directory)!, random, now);
      this.authorities.set(directory, authority);
    }
    const until = now + DAYS * 24 * 3600_000;
    const { cert, key } = issue(authority, { commonName: names[0], names }, random, now, 'server', until);
    return { certificate: { cert: `${cert}${authority.cert}`, key }, notAfter: until };
  }
}
