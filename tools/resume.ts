/** `npm run resume`: the self-healer may act again. */
import { pauseOrResume } from './pause';
import { runTool } from './run';
import { TARGET_FLAGS } from './target';

export const TOOL = {
  name: 'resume',
  purpose: 'Ends what npm run pause began: the self-healer replaces servers again.',
  flags: TARGET_FLAGS,
};

if (require.main === module) runTool(TOOL, (flags) => pauseOrResume(flags, false));
