/** CodeBuild: starts builds of one project and tells how they are. */
import { BatchGetBuildsCommand, CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import { type ClientSettings, clientSettings } from './client';
import { attempt } from './errors';

export interface Build {
  /** SUCCEEDED, IN_PROGRESS, or how it failed: FAILED, FAULT, TIMED_OUT, STOPPED. */
  status: string;
  phase: string;
  /** What its failed phases say; empty when none has failed. */
  reason: string;
  /** Of CloudWatch Logs. */
  logGroup: string;
}

export class Builds {
  private readonly client: CodeBuildClient;

  constructor(
    settings: ClientSettings,
    private readonly project: string,
  ) {
    this.client = new CodeBuildClient(clientSettings(settings));
  }

  /**
   * Returns the build's id.
   * @param token the same token within five minutes is the same build
   */
  async start(token: string): Promise<string> {
    const { build } = await attempt('StartBuild', () =>
      this.client.send(new StartBuildCommand({ projectName: this.project, idempotencyToken: token })),
    );
    if (!build?.id) throw new Error('StartBuild answered without the id of a build');
    return build.id;
  }

  async get(id: string): Promise<Build> {
    const { builds = [] } = await attempt('BatchGetBuilds', () =>
      this.client.send(new BatchGetBuildsCommand({ ids: [id] })),
    );
    const [build] = builds;
    if (!build) throw new Error(`BatchGetBuilds does not know ${id}`);
    const failed = build.phases?.flatMap(({ phaseType, contexts = [] }) =>
      contexts.flatMap(({ message }) => (message ? `${phaseType}: ${message}` : [])),
    );
    return {
      status: build.buildStatus ?? 'IN_PROGRESS',
      phase: build.currentPhase ?? 'SUBMITTED',
      reason: failed?.join('; ') ?? '',
      logGroup: build.logs?.groupName ?? '',
    };
  }
}
