import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { TAG } from '../../functions/cluster/names';
import type { Config } from '../config';
import { writeManifests } from '../manifests';
import { namesOf } from '../names';
import { Alarms } from './alarms';
import { Alerts } from './alerts';
import { Dashboard } from './dashboard';
import { Events } from './events';
import { Functions } from './functions';
import { Guard } from './guard';
import { EchoImage } from './image';
import { LoadBalancer } from './load-balancer';
import { Network } from './network';
import { Nodes } from './nodes';
import { publish } from './outputs';
import { PORT } from './ports';
import { State } from './state';
import { Workflow } from './workflow';

export interface ClusterStackProps {
  readonly config: Config;
  /** The project: statemachine/, manifests/ and tcpecho/ are read below it. */
  readonly root: string;
  /** Where the function bundles are. */
  readonly bundles: string;
}

/** One K3s cluster and the workflows that keep it alive. */
export class ClusterStack extends Stack {
  constructor(app: App, { config, root, bundles }: ClusterStackProps) {
    const names = namesOf(config.name);
    super(app, names.stack, {
      stackName: names.stack,
      description: `Highly available K3s cluster "${config.name}"`,
      // Without a region the stack fits any: the deploying credentials decide.
      env: { region: config.region },
      tags: { [TAG.cluster]: config.name },
    });

    const network = new Network(this, 'Network', config);
    const loadBalancer = new LoadBalancer(this, 'LoadBalancer', { network, names });
    const state = new State(this, 'State', config);
    const image = config.tcpechoImage === undefined ? new EchoImage(this, 'EchoImage', { config, root }) : undefined;
    const rendered = writeManifests(root, config, join(app.outdir, 'manifests.yaml'), image?.tag);
    const manifests = new Asset(this, 'Manifests', { path: rendered.path });
    const nodes = new Nodes(this, 'Nodes', { config, names, network, loadBalancer, state, manifests, image });
    const alerts = new Alerts(this, 'Alerts', { config, names });
    const functions = new Functions(this, 'Functions', {
      config,
      names,
      network,
      loadBalancer,
      nodes,
      state,
      alerts,
      image,
      bundles,
    });
    image?.buildWith(functions.get('build-image'));
    const workflow = new Workflow(this, 'Workflow', {
      root,
      names,
      functions,
      substitutions: {
        ClusterName: config.name,
        ManifestsUri: manifests.s3ObjectUrl,
        ManifestsSha256: rendered.sha256,
        EchoRepository: image?.repository.repositoryUri ?? '',
      },
    });
    const alarms = new Alarms(this, 'Alarms', { config, names, loadBalancer, functions });
    const events = new Events(this, 'Events', { config, names, functions, workflow, alarms, alerts });
    const dashboard = new Dashboard(this, 'Dashboard', { config, names, loadBalancer, functions, workflow, alarms });
    const parts = [network, loadBalancer, state, nodes, alerts, functions, workflow, alarms, events, dashboard];
    new Guard(this, 'Guard', { functions, before: image ? [...parts, image] : parts });

    publish(this, {
      ClusterName: { value: config.name, description: 'Name of the cluster' },
      StateMachineArn: { value: workflow.cluster.stateMachineArn, description: 'Start it with {} to create or repair' },
      DeleteStateMachineArn: {
        value: workflow.deletion.stateMachineArn,
        description: `Start it with {"confirm":"${config.name}"} to delete the cluster`,
      },
      LoadBalancerDns: { value: loadBalancer.dnsName, description: 'Name of the load balancer' },
      Url: {
        value: config.domain ? `https://${config.domain}/` : `http://${loadBalancer.dnsName}/`,
        description: servedAs(config),
      },
      ApiEndpoint: {
        value: `https://${loadBalancer.dnsName}:${PORT.api}`,
        description: 'Kubernetes API, for the configured networks only',
      },
      TopicArn: { value: alerts.topic.topicArn, description: 'Alerts; subscribe whoever should be told' },
      DashboardUrl: { value: dashboard.url, description: 'Dashboard: servers, replacements, executions, decisions' },
      TableName: { value: state.table.tableName, description: 'Inventory of the cluster' },
      DocumentPrefix: { value: names.documentPrefix, description: 'Prefix of the SSM documents' },
    });
  }
}

/** What becomes of a request to the cluster's URL. */
function servedAs({ domain, acme, demo }: Config): string {
  if (!demo.enabled) return 'Where Ingresses answer; the demo is left out';
  if (domain === undefined) return 'Where the demo answers, over plain HTTP: no domain is configured';
  const certificate = acme.server === 'production' ? '' : ', with a staging certificate that browsers do not trust';
  return `Where the demo answers${certificate}; ${domain} must lead to LoadBalancerDns`;
}
