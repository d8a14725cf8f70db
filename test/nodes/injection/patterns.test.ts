/** SSM refuses what does not look like a value of a node command's parameter. */
import type { Script } from '../../../functions/contracts';
import { documentContent } from '../../../infra/lib/documents';
import { AwsError } from '../../../local/aws/service';
import { type Document, parseContent, resolveParameters } from '../../../local/aws/ssm/document';
import { CURIOSITIES, commands, PARAMETERS, VALID } from './hostile';

const HOSTILE = [...commands('/canary'), ...CURIOSITIES];

/** The document as SSM has it, with its patterns changed. */
function documentOf(command: Script, edit: (pattern: string) => string): Document {
  const content = documentContent(command);
  const parameters = Object.fromEntries(
    Object.entries(content.parameters).map(([name, parameter]) => [
      name,
      { ...parameter, allowedPattern: edit(parameter.allowedPattern) },
    ]),
  );
  const parsed = parseContent({ ...content, parameters }, 'JSON');
  return { ...parsed, name: command, version: '1', format: 'JSON', createdAt: new Date(0), tags: [] };
}

/** The values of a parameter that SSM lets through to the node. */
function taken(
  command: Script,
  name: string,
  values: readonly string[],
  edit = (pattern: string) => pattern,
): string[] {
  const document = documentOf(command, edit);
  return values.filter((value) => {
    const given = Object.entries({ ...VALID[command], [name]: value }).map(([key, text]) => [key, [text]]);
    try {
      resolveParameters(document, Object.fromEntries(given));
      return true;
    } catch (error) {
      if (error instanceof AwsError && error.code === 'InvalidParameters') return false;
      throw error;
    }
  });
}

/** Leaving these out says the same. */
const MAY_BE_EMPTY = ['peerAddress', 'caHash', 'address', 'echoRepository'];

describe.each(PARAMETERS)('%s: what SSM takes for %s', (command, name) => {
  it('is what the workflow sends', () => {
    expect(taken(command, name, [VALID[command][name] ?? ''])).toHaveLength(1);
  });

  it('is nothing that anybody could smuggle in', () => {
    expect(taken(command, name, HOSTILE)).toEqual(MAY_BE_EMPTY.includes(name) ? [''] : []);
  });

  it('would be, if its pattern were open at an end', () => {
    const around = [...HOSTILE.map((value) => `${VALID[command][name]}${value}`), ...HOSTILE];
    const open = (pattern: string) => pattern.replace(/\$$/, '');
    expect(taken(command, name, around, open).length).toBeGreaterThan(HOSTILE.length / 2);
  });
});
