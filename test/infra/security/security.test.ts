/** The synthesized template, as it would be deployed, gives nobody more than the work needs. */
import { parseConfig } from '../../../infra/config';
import { cleanUp, synth, type Template } from '../stack';
import * as actions from './actions';
import * as ingress from './ingress';
import * as instances from './instances';
import * as mutant from './mutants';
import type { Rule, Subject } from './rule';
import * as storage from './storage';
import * as trust from './trust';

afterAll(cleanUp);

const subject = (settings: object): Subject => ({ template: synth(settings).template, config: parseConfig(settings) });
const SUBJECTS: [string, Subject][] = [
  ['public network', subject({})],
  ['private network', subject({ network: { mode: 'private' } })],
  [
    'everything that can be switched on',
    subject({
      name: 'prod',
      servers: 5,
      architecture: 'arm64',
      network: { mode: 'private', nat: 'single' },
      apiCidrs: ['203.0.113.0/24', '198.51.100.7/32'],
      alertEmail: 'ops@example.org',
      domain: 'demo.example.org',
      acme: { email: 'ops@example.org' },
    }),
  ],
];

const RULES: [string, Rule, Record<string, mutant.Edit>][] = [
  ['every action is named', actions.everyActionIsNamed, mutant.ACTIONS],
  ['every resource is named where AWS knows one', actions.starOnlyWhereAwsKnowsNoResource, mutant.RESOURCES],
  ['no identity, policy, code, script or template can be changed', actions.nothingElseMayBeChanged, mutant.CHANGES],
  ['secrets are read by the servers only', actions.secretsAreReadByServersOnly, mutant.SECRETS],
  ['the node role is passed to EC2, and no other to anyone', instances.theNodeRoleIsPassedToEc2Only, mutant.PASS],
  ['instances are launched as the launch template says', instances.launchesAreOfThisTemplateOnly, mutant.LAUNCHES],
  ['tags are set on what a launch creates', instances.tagsAreSetAtLaunchOnly, mutant.TAGS],
  ['this cluster’s instances are ended, and no others', instances.onlyThisClustersInstancesEnd, mutant.ENDS],
  ['this cluster’s documents run on its instances', instances.onlyThisClustersDocumentsRun, mutant.COMMANDS],
  ['instances keep their credentials', instances.instancesKeepTheirCredentials, mutant.CREDENTIALS],
  ['roles trust services on behalf of this account', trust.rolesTrustServicesForThisAccountOnly, mutant.TRUST],
  ['roles have the policies of the template only', trust.noRoleHasForeignPolicies, mutant.FOREIGN],
  ['there are no users and no keys', trust.noOtherIdentityExists, mutant.IDENTITIES],
  ['functions are invoked by this stack’s rules', trust.functionsAreInvokedByThisStackOnly, mutant.INVOCATIONS],
  ['no resource policy admits strangers', trust.noResourcePolicyAdmitsStrangers, mutant.STRANGERS],
  ['the world reaches HTTP and HTTPS, operators the API', ingress.theWorldReachesHttpAndHttpsOnly, mutant.WORLD],
  ['servers admit the load balancer and each other', ingress.serversAdmitGroupsOnly, mutant.SERVERS],
  ['no other port is open to anyone', ingress.onlyKnownPortsAreOpen, mutant.PORTS],
  ['private servers have no public address', ingress.privateServersHaveNoPublicAddress, mutant.ADDRESSES],
  ['every store is encrypted', storage.everyStoreIsEncrypted, mutant.STORES],
  ['every log group forgets', storage.everyLogIsForgotten, mutant.LOGS],
  ['every function logs to a group of the stack', storage.everyFunctionLogsToAGroupOfTheStack, mutant.LOGGING],
];

describe.each(RULES)('%s', (_name, rule, mutants) => {
  it.each(SUBJECTS)('with %s', async (_variant, of) => {
    expect(await rule(of)).toEqual([]);
  });

  it.each(Object.entries(mutants))('which would not be so with: %s', async (_what, edit) => {
    const reported: string[] = [];
    for (const [, { template, config }] of SUBJECTS) {
      const copy: Template = structuredClone(template);
      edit(copy);
      reported.push(...(await rule({ template: copy, config })));
    }
    expect(reported).not.toEqual([]);
  });
});
