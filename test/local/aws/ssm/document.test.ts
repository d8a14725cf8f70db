import { parseContent } from '../../../../local/aws/ssm/document';

const CONTENT = {
  schemaVersion: '2.2',
  description: 'Removes a member',
  parameters: {
    nodeName: { type: 'String', allowedPattern: '^i-[0-9a-f]{8,17}$', interpolationType: 'ENV_VAR' },
    address: { type: 'String', default: '', interpolationType: 'ENV_VAR' },
  },
  mainSteps: [
    {
      action: 'aws:runShellScript',
      name: 'RemoveMember',
      precondition: { StringEquals: ['platformType', 'Linux'] },
      inputs: { runCommand: ['#!/bin/bash', 'echo "$SSM_nodeName"'], timeoutSeconds: '300' },
    },
  ],
};
const step = (inputs: Record<string, unknown>) => [{ ...CONTENT.mainSteps[0], inputs }];

describe('an SSM document', () => {
  it('is read from an object, JSON or YAML', () => {
    const expected = [
      { name: 'RemoveMember', script: '#!/bin/bash\necho "$SSM_nodeName"', timeoutSeconds: 300, exitOnFailure: false },
    ];
    expect(parseContent(CONTENT, 'JSON').steps).toEqual(expected);
    expect(parseContent(JSON.stringify(CONTENT), 'JSON').steps).toEqual(expected);
    const yaml = `
schemaVersion: "2.2"
mainSteps:
  - action: aws:runShellScript
    name: Hello
    inputs:
      runCommand: [echo hello]
`;
    expect(parseContent(yaml, 'YAML').steps).toEqual([
      { name: 'Hello', script: 'echo hello', timeoutSeconds: 3600, exitOnFailure: false },
    ]);
  });

  it.each([
    ['another schema', { ...CONTENT, schemaVersion: '1.2' }, /schemaVersion/],
    ['an unknown field', { ...CONTENT, files: {} }, /files/],
    ['another plugin', { ...CONTENT, mainSteps: [{ ...CONTENT.mainSteps[0], action: 'aws:runDocument' }] }, /action/],
    ['an unknown input', { ...CONTENT, mainSteps: step({ runCommand: ['x'], shell: 'zsh' }) }, /shell/],
    [
      'a pattern that is none',
      { ...CONTENT, parameters: { a: { type: 'String', allowedPattern: '(' } } },
      /allowedPattern/,
    ],
    [
      'a default outside its pattern',
      { ...CONTENT, parameters: { a: { type: 'String', allowedPattern: '^b$', default: 'c' } } },
      /parameters\.a: its default does not match/,
    ],
    [
      'a reference to nothing',
      { ...CONTENT, mainSteps: step({ runCommand: ['echo {{ other }}'] }) },
      /\{\{ other \}\} is not a parameter/,
    ],
    [
      'a reference to an environment parameter',
      { ...CONTENT, mainSteps: step({ runCommand: ['echo {{nodeName}}'] }) },
      /use that/,
    ],
    ['text that is not JSON', '{', /not JSON/],
    ['two steps of one name', { ...CONTENT, mainSteps: [...CONTENT.mainSteps, ...CONTENT.mainSteps] }, /same name/],
  ])('is refused with %s', (_what, content, message) => {
    expect(() => parseContent(content, 'JSON')).toThrow(message);
  });

  it('is at most 64 KB', () => {
    const content = { ...CONTENT, mainSteps: step({ runCommand: ['#'.repeat(65_536)] }) };
    expect(() => parseContent(content, 'JSON')).toThrow('The size limit of a document is 64 KB.');
  });
});
