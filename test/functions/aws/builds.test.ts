import { BatchGetBuildsCommand, CodeBuildClient, StartBuildCommand } from '@aws-sdk/client-codebuild';
import { mockClient } from 'aws-sdk-client-mock';
import { Builds } from '../../../functions/aws/builds';

const codebuild = mockClient(CodeBuildClient);
const builds = new Builds({ region: 'eu-west-3' }, 'echo');

beforeEach(() => codebuild.reset());

describe('builds', () => {
  it('are started once for a token', async () => {
    codebuild.on(StartBuildCommand).resolves({ build: { id: 'echo:1' } });
    expect(await builds.start('request-1')).toBe('echo:1');
    expect(codebuild.commandCalls(StartBuildCommand)[0]?.args[0].input).toEqual({
      projectName: 'echo',
      idempotencyToken: 'request-1',
    });
  });

  it('tell why they failed', async () => {
    codebuild.on(BatchGetBuildsCommand).resolves({
      builds: [
        {
          buildStatus: 'FAILED',
          currentPhase: 'COMPLETED',
          phases: [
            { phaseType: 'SUBMITTED', phaseStatus: 'SUCCEEDED' },
            { phaseType: 'BUILD', phaseStatus: 'FAILED', contexts: [{ message: 'exit status 1' }] },
          ],
          logs: { groupName: 'logs' },
        },
      ],
    });
    expect(await builds.get('echo:1')).toEqual({
      status: 'FAILED',
      phase: 'COMPLETED',
      reason: 'BUILD: exit status 1',
      logGroup: 'logs',
    });
  });

  it('that nobody knows are an error', async () => {
    codebuild.on(BatchGetBuildsCommand).resolves({ builds: [], buildsNotFound: ['echo:2'] });
    await expect(builds.get('echo:2')).rejects.toThrow('BatchGetBuilds does not know echo:2');
  });

  it('say that AWS throttles', async () => {
    codebuild.on(StartBuildCommand).rejects(Object.assign(new Error('slow'), { name: 'ThrottlingException' }));
    await expect(builds.start('request-1')).rejects.toMatchObject({ name: 'Throttled' });
  });
});
