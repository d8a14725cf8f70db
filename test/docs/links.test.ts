import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { anchors, ROOT, read, TEXTS } from './markdown';

const LINKS = TEXTS.flatMap((text) =>
  [...read(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link): [string, string] => [text, link]),
);

it.each(LINKS)('%s: %s leads somewhere', (text, link) => {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? text : join(dirname(text), path);
  expect(existsSync(join(ROOT, target))).toBe(true);
  if (anchor !== undefined) expect(anchors(read(target))).toContain(anchor);
});
