import { scripts } from '../../package.json';
import { helpText } from '../../tools/arguments';
import { TOOL as PAUSE } from '../../tools/pause';
import { TOOL as RESUME } from '../../tools/resume';

describe.each([
  { tool: PAUSE, script: scripts.pause, purpose: /^Pauses the self-healer: / },
  {
    tool: RESUME,
    script: scripts.resume,
    purpose: /^Ends what npm run pause began: the self-healer replaces servers again/,
  },
])('npm run $tool.name', ({ tool, script, purpose }) => {
  it('is a program of its own', () => {
    expect(script).toBe(`tsx tools/${tool.name}.ts`);
  });

  it('explains itself under the name that was typed', () => {
    expect(helpText(tool)).toMatch(purpose);
    expect(helpText(tool)).toContain(`usage: npm run ${tool.name} -- [flags]`);
  });
});
