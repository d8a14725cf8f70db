// Each test file would be warned anew that the AWS SDK's releases of 2027 need a newer Node.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const common = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, sourceMaps: 'inline' }],
  },
};

/**
 * Whole clusters with one fault each or of another configuration, and the node scripts with every hostile value: minutes of
 * computing. `npm run test:faults` and CI run them.
 */
const faults = [
  ...[
    'broken',
    'certificates',
    'deletion',
    'destroy',
    'explain',
    'healing/servers',
    'healing/circumstances',
    'healing/numbers',
    'image',
    'interruption',
    'machines',
    'operator',
    'permissions/denied',
    'permissions/used',
    'private',
    'scripts',
    'throttling',
  ].map((file) => `<rootDir>/test/e2e/${file}.test.ts`),
  '<rootDir>/test/local/incidents.test.ts',
  '<rootDir>/test/nodes/injection/scripts.test.ts',
];

/** Folders of the tests that boot an embedded AWS with the whole stack. */
const WHOLE = ['<rootDir>/test/e2e/', '<rootDir>/test/simulation/'];

/** End-to-end tests need the cloud assembly: jest prepares it when one of them runs. */
const whole = { ...common, globalSetup: '<rootDir>/test/support/assembly-setup.ts' };

/** @type {import('jest').Config} */
module.exports = {
  // An end-to-end test computes for about a second, but the machine may be busy with something else.
  testTimeout: 60_000,
  // Jest would leave one processor idle: on two that is half of the machine.
  maxWorkers: '100%',
  testSequencer: '<rootDir>/test/support/sequencer.js',
  projects: [
    { ...common, displayName: 'parts', testMatch: ['**/*.test.ts'], testPathIgnorePatterns: [...WHOLE, ...faults] },
    {
      ...whole,
      displayName: 'e2e',
      testMatch: WHOLE.map((folder) => `${folder}**/*.test.ts`),
      testPathIgnorePatterns: faults,
    },
    { ...whole, displayName: 'faults', testMatch: faults },
  ],
};
