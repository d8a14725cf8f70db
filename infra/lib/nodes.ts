import { CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { SCRIPT } from '../../functions/contracts';
import { renderUserData } from '../../nodes/render';
import type { Config } from '../config';
import type { Names } from '../names';
import { documentContent } from './documents';
import type { EchoImage } from './image';
import type { LoadBalancer } from './load-balancer';
import type { Network } from './network';
import { anyInstance, anyResource } from './permissions';
import type { State } from './state';

export interface NodesProps {
  readonly config: Config;
  readonly names: Names;
  readonly network: Network;
  readonly loadBalancer: LoadBalancer;
  readonly state: State;
  readonly manifests: Asset;
  /** Undefined: the configuration names one that anybody can pull. */
  readonly image: EchoImage | undefined;
}

/** What a server is launched from, what it may do, and the commands that can be run on it. */
export class Nodes extends Construct {
  readonly launchTemplate: ec2.CfnLaunchTemplate;
  readonly role: iam.Role;
  /** AMI id, as resolved at deployment. */
  readonly imageId: string;

  constructor(scope: Construct, id: string, props: NodesProps) {
    super(scope, id);
    const { config, names } = props;
    this.role = this.nodeRole(props);
    const profile = new iam.CfnInstanceProfile(this, 'Profile', { roles: [this.role.roleName] });
    // Resolved when the stack is deployed, not at each launch: a server that the healer launches at night is the one
    // that was deployed and tried. Deploying again takes the newest image, for new instances only.
    const image = new CfnParameter(Stack.of(this), 'NodeImage', {
      type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>',
      default: `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${config.architecture}`,
      description: 'Amazon Linux 2023',
    });
    this.imageId = image.valueAsString;
    this.launchTemplate = this.template(props, profile);

    for (const script of SCRIPT.options) {
      new ssm.CfnDocument(this, script, {
        name: `${names.documentPrefix}${script}`,
        documentType: 'Command',
        documentFormat: 'JSON',
        targetType: '/AWS::EC2::Instance',
        content: documentContent(script),
        // A fixed name cannot be replaced; a changed script becomes the document's new default version.
        updateMethod: 'NewVersion',
      });
    }
  }

  /** No tags and no network interface: tags come with the launch request, and a request with a subnet forbids one. */
  private template(props: NodesProps, profile: iam.CfnInstanceProfile): ec2.CfnLaunchTemplate {
    const { config, network, loadBalancer, state, image } = props;
    const userData = renderUserData({
      CLUSTER: config.name,
      REGION: Stack.of(this).region,
      TOKEN_SECRET: state.token.secretArn,
      TLS_SAN: loadBalancer.dnsName,
      REGISTRY: image?.registry ?? '',
      K3S_VERSION: config.k3sVersion,
      K3S_SHA256: config.k3sSha256[config.architecture] ?? '',
    });
    return new ec2.CfnLaunchTemplate(this, 'LaunchTemplate', {
      launchTemplateData: {
        imageId: this.imageId,
        instanceType: config.instanceTypes[0],
        iamInstanceProfile: { arn: profile.attrArn },
        securityGroupIds: [network.nodeGroupId],
        // A hop limit of 1 keeps pods away from the node's credentials.
        metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
        monitoring: { enabled: true },
        blockDeviceMappings: [
          {
            deviceName: '/dev/xvda',
            ebs: { volumeType: 'gp3', volumeSize: config.volumeGib, encrypted: true, deleteOnTermination: true },
          },
        ],
        userData: Fn.base64(userData),
      },
    });
  }

  private nodeRole({ state, manifests, config, image }: NodesProps): iam.Role {
    return new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
      description: `K3s servers of ${config.name}`,
      inlinePolicies: {
        // Not AmazonSSMManagedInstanceCore: that one lets a node read every parameter of the account. Run Command and
        // Session Manager need these five.
        // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
        Agent: new iam.PolicyDocument({
          statements: [
            // The heartbeat. It is authorised for the instance that it is about.
            new iam.PolicyStatement({ actions: ['ssm:UpdateInstanceInformation'], resources: [anyInstance()] }),
            anyResource(
              'ssmmessages:CreateControlChannel',
              'ssmmessages:CreateDataChannel',
              'ssmmessages:OpenControlChannel',
              'ssmmessages:OpenDataChannel',
            ),
          ],
        }),
        JoinToken: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({
              actions: ['secretsmanager:GetSecretValue'],
              resources: [state.token.secretArn],
            }),
          ],
        }),
        Manifests: new iam.PolicyDocument({
          statements: [
            new iam.PolicyStatement({
              actions: ['s3:GetObject'],
              resources: [manifests.bucket.arnForObjects(manifests.s3ObjectKey)],
            }),
          ],
        }),
        ...(image && { EchoImage: pullFrom(image) }),
      },
    });
  }
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/security_iam_id-based-policy-examples.html */
function pullFrom({ repository }: EchoImage): iam.PolicyDocument {
  return new iam.PolicyDocument({
    statements: [
      anyResource('ecr:GetAuthorizationToken'),
      new iam.PolicyStatement({
        actions: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        resources: [repository.repositoryArn],
      }),
    ],
  });
}
