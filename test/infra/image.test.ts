import * as z from 'zod';
import { cleanUp, ofType, only, statementsByRole, synth, type Template, text } from './stack';

afterAll(cleanUp);

const { template } = synth();
const arm = synth({ architecture: 'arm64' }).template;
const own = synth({ tcpechoImage: 'images.example.org/echo:1.2' }).template;

const variables = (of: Template) => {
  const { EnvironmentVariables } = z
    .object({ EnvironmentVariables: z.array(z.object({ Name: z.string(), Value: z.json() })) })
    .parse(only(of, 'AWS::CodeBuild::Project').Properties.Environment);
  return Object.fromEntries(EnvironmentVariables.map(({ Name, Value }) => [Name, text(Value)]));
};
const roleOf = (of: Template, type: string) => {
  const { ServiceRole } = only(of, type).Properties;
  return statementsByRole(of).get(/^<(\w+)\.Arn>$/.exec(text(ServiceRole))?.[1] ?? '') ?? [];
};
const nodes = (of: Template) => [...statementsByRole(of)].find(([id]) => id.startsWith('NodesRole'))?.[1] ?? [];
const tagOf = (of: Template) => text(only(of, 'Custom::EchoImage').Properties.Tag);

describe('the repository', () => {
  it('is private, scanned and never overwritten, and goes with the stack', () => {
    const { Properties, DeletionPolicy } = only(template, 'AWS::ECR::Repository');
    expect(Properties).toMatchObject({
      ImageScanningConfiguration: { ScanOnPush: true },
      ImageTagMutability: 'IMMUTABLE',
      EmptyOnDelete: true,
    });
    expect(Properties).not.toHaveProperty('RepositoryPolicyText');
    expect(DeletionPolicy).toBe('Delete');
  });

  it('keeps the newest images only', () => {
    const policy = z
      .object({ LifecyclePolicyText: z.string() })
      .parse(only(template, 'AWS::ECR::Repository').Properties.LifecyclePolicy);
    expect(JSON.parse(policy.LifecyclePolicyText)).toMatchObject({
      rules: [{ selection: { countType: 'imageCountMoreThan', countNumber: 10 }, action: { type: 'expire' } }],
    });
  });
});

describe('the build', () => {
  it("runs in a container of the servers' architecture", () => {
    expect(only(template, 'AWS::CodeBuild::Project').Properties.Environment).toMatchObject({ Type: 'LINUX_CONTAINER' });
    expect(variables(template).PLATFORM).toBe('linux/amd64');
    expect(only(arm, 'AWS::CodeBuild::Project').Properties.Environment).toMatchObject({
      Type: 'ARM_CONTAINER',
      Image: expect.stringContaining('aarch64'),
    });
    expect(variables(arm).PLATFORM).toBe('linux/arm64');
  });

  it('ends soon, one way or the other', () => {
    expect(only(template, 'AWS::CodeBuild::Project').Properties).toMatchObject({
      TimeoutInMinutes: 5,
      QueuedTimeoutInMinutes: 5,
    });
    expect(only(template, 'Custom::EchoImage').Properties.ServiceTimeout).toBe('900');
  });

  it('has a tag of its own for each architecture', () => {
    expect(tagOf(template)).toMatch(/^[0-9a-f]{16}$/);
    expect(tagOf(arm)).not.toBe(tagOf(template));
    expect(variables(template).IMAGE).toContain(`:${tagOf(template)}`);
  });

  it('may push to the repository, read its source, write its log, and nothing else', () => {
    const statements = roleOf(template, 'AWS::CodeBuild::Project');
    const broad = statements.filter(({ Resource }) => Resource.includes('*')).flatMap(({ Action }) => Action);
    expect(broad).toEqual(['ecr:GetAuthorizationToken']);
    const ecr = statements.filter(({ Action }) => Action.includes('ecr:PutImage'));
    expect(ecr.map(({ Resource }) => Resource)).toEqual([[expect.stringMatching(/^<EchoImageRepository\w+\.Arn>$/)]]);
    expect(new Set(statements.flatMap(({ Action }) => Action.map((action) => action.split(':')[0])))).toEqual(
      new Set(['ecr', 'logs', 's3']),
    );
  });
});

describe('the servers', () => {
  it('may pull from the repository and not push', () => {
    const actions = nodes(template).filter(({ Action }) => Action.some((action) => action.startsWith('ecr:')));
    expect(actions.map(({ Action, Resource }) => [Action, Resource])).toEqual([
      [['ecr:GetAuthorizationToken'], ['*']],
      [['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'], [expect.stringMatching(/^<EchoImageRepository\w+\.Arn>$/)]],
    ]);
  });

  it('get the image that was built: the workflow tells its repository, the manifests its tag', () => {
    const { DefinitionSubstitutions } = [...ofType(template, 'AWS::StepFunctions::StateMachine').values()].find(
      ({ Properties }) => Properties.StateMachineName === 'k3s-demo',
    )!.Properties;
    expect(DefinitionSubstitutions).toMatchObject({ EchoRepository: expect.anything() });
  });
});

describe('an image of your own', () => {
  it('needs no repository, build, function or permission', () => {
    for (const type of ['AWS::ECR::Repository', 'AWS::CodeBuild::Project', 'Custom::EchoImage']) {
      expect(ofType(own, type).size).toBe(0);
    }
    expect(JSON.stringify(own)).not.toMatch(/ecr:|codebuild:|build-image/);
    expect(nodes(own).flatMap(({ Action }) => Action)).toContain('s3:GetObject');
  });
});
