/** Assemblies in which one artifact was replaced by another, as if somebody had broken it before deploying. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { assembly } from './assembly-path';

/** What these tests touch of a template; the rest passes through. */
const TEMPLATE = z.looseObject({
  Resources: z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      Properties: z.looseObject({}).default({}),
      DependsOn: z.array(z.string()).optional(),
    }),
  ),
});
type Template = z.infer<typeof TEMPLATE>;

const DOCUMENT = z.looseObject({
  Name: z.string(),
  Content: z.looseObject({
    mainSteps: z.tuple([z.looseObject({ inputs: z.looseObject({ runCommand: z.array(z.string()) }) })]),
  }),
});
const LAUNCH_TEMPLATE = z.looseObject({
  LaunchTemplateData: z.looseObject({
    UserData: z.looseObject({
      'Fn::Base64': z.looseObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }),
    }),
  }),
});
const STATE_MACHINE = z.looseObject({ DefinitionString: z.string() });
const FUNCTION = z.looseObject({ FunctionName: z.string(), Code: z.looseObject({ S3Key: z.string() }) });

const STATEMENT = z.looseObject({ Action: z.union([z.string(), z.array(z.string())]) });
const ROLE = z.looseObject({
  AssumeRolePolicyDocument: z.looseObject({ Statement: z.array(z.looseObject({})) }),
  Policies: z.array(z.looseObject({ PolicyDocument: z.looseObject({ Statement: z.array(STATEMENT) }) })),
});
type Role = z.infer<typeof ROLE>;

const made: string[] = [];

/** Removes what this test file has made. */
export function discardAltered(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** The run's assembly with another script in the SSM document of a node command (`StartServer`). */
export function withScript(command: string, script: string): string {
  return altered((template) => {
    for (const resource of ofType(template, 'AWS::SSM::Document')) {
      const properties = DOCUMENT.parse(resource.Properties);
      if (!properties.Name.endsWith(`-${command}`)) continue;
      properties.Content.mainSteps[0].inputs.runCommand = script.split('\n');
      resource.Properties = properties;
      return;
    }
    throw new Error(`no document of ${command}`);
  });
}

/** The run's assembly with another user data script. */
export function withUserData(script: string): string {
  return altered((template) => {
    for (const resource of ofType(template, 'AWS::EC2::LaunchTemplate')) {
      const properties = LAUNCH_TEMPLATE.parse(resource.Properties);
      properties.LaunchTemplateData.UserData['Fn::Base64']['Fn::Join'] = ['', [script]];
      resource.Properties = properties;
    }
  });
}

/** The run's assembly with other code in a function's bundle. */
export function withBundle(step: string, code: string): string {
  return altered((template, directory) => {
    const found = ofType(template, 'AWS::Lambda::Function')
      .map(({ Properties }) => FUNCTION.parse(Properties))
      .find(({ FunctionName }) => FunctionName.endsWith(`-${step}`));
    if (!found) throw new Error(`no function of ${step}`);
    const asset = join(directory, `asset.${found.Code.S3Key.replace(/\.zip$/, '')}`);
    unlinkSync(asset);
    mkdirSync(asset);
    writeFileSync(join(asset, 'index.js'), code);
  });
}

/** The run's assembly with workflows that time out after so many seconds. */
export function withTimeout(seconds: number): string {
  return altered((template) => {
    for (const resource of ofType(template, 'AWS::StepFunctions::StateMachine')) {
      const properties = STATE_MACHINE.parse(resource.Properties);
      const definition = JSON.parse(properties.DefinitionString);
      resource.Properties = {
        ...properties,
        DefinitionString: JSON.stringify({ ...definition, TimeoutSeconds: seconds }),
      };
    }
  });
}

/** The run's assembly with a role changed; `logicalId` is how its logical id begins. */
export function withRole(logicalId: string, edit: (role: Role) => void): string {
  return altered((template) => {
    const found = Object.entries(template.Resources).filter(
      ([id, { Type }]) => Type === 'AWS::IAM::Role' && id.startsWith(logicalId),
    );
    const [resource] = found.map(([, { Properties }]) => Properties);
    if (!resource || found.length > 1) throw new Error(`${found.length} roles are called ${logicalId}…`);
    const role = ROLE.parse(resource);
    edit(role);
    Object.assign(resource, role);
  });
}

/** The run's assembly with a role that may do less by one action. */
export function withoutAction(logicalId: string, action: string): string {
  return withRole(logicalId, (role) => {
    let removed = 0;
    for (const { PolicyDocument } of role.Policies) {
      PolicyDocument.Statement = PolicyDocument.Statement.flatMap((statement) => {
        const actions = [statement.Action].flat();
        const left = actions.filter((each) => each !== action);
        removed += actions.length - left.length;
        return left.length === 0 ? [] : [{ ...statement, Action: left }];
      });
    }
    if (removed === 0) throw new Error(`${logicalId}… may not ${action}`);
    role.Policies = role.Policies.filter(({ PolicyDocument }) => PolicyDocument.Statement.length > 0);
  });
}

/** The run's assembly without one resource; `logicalId` is how its logical id begins. */
export function withoutResource(logicalId: string): string {
  return altered((template) => {
    const [id, ...others] = Object.keys(template.Resources).filter((candidate) => candidate.startsWith(logicalId));
    if (id === undefined || others.length > 0) throw new Error(`not one resource is called ${logicalId}…`);
    delete template.Resources[id];
    for (const resource of Object.values(template.Resources)) {
      resource.DependsOn = resource.DependsOn?.filter((other) => other !== id);
    }
  });
}

function ofType(template: Template, type: string) {
  return Object.values(template.Resources).filter(({ Type }) => Type === type);
}

/** Everything but what is edited is linked, not copied. */
function altered(edit: (template: Template, directory: string) => void): string {
  const original = assembly();
  const directory = mkdtempSync(join(tmpdir(), 'k3s-ha-assembly-'));
  made.push(directory);
  for (const name of readdirSync(original)) symlinkSync(join(original, name), join(directory, name));
  const path = join(directory, 'k3s-demo.template.json');
  const template = TEMPLATE.parse(JSON.parse(readFileSync(path, 'utf8')));
  edit(template, directory);
  unlinkSync(path);
  writeFileSync(path, JSON.stringify(template));
  return directory;
}
