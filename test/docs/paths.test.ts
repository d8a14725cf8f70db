/** The paths that the texts name exist. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, read, spans, TEXTS } from './markdown';

const FOLDERS = new Set(
  readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name),
);

const PATHS = TEXTS.flatMap((text) =>
  [...new Set(spans(read(text)))]
    .filter((span) => /^[\w.-]+\/[\w./-]*$/.test(span) && FOLDERS.has(span.slice(0, span.indexOf('/'))))
    .map((path): [string, string] => [text, path]),
);

it.each(PATHS)('%s: %s exists', (_text, path) => {
  expect(existsSync(join(ROOT, path))).toBe(true);
});
