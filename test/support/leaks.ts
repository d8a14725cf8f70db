/** Finds a secret in text, also where something has encoded it on the way. */

/** A secret that is shorter would be found by chance. */
const SHORTEST = 16;

/**
 * The texts by which a secret would show: as it is, URL-encoded, in hexadecimal, and in base64 at each of the three
 * positions that it can have within something larger. The characters at the ends of base64 depend on what is before and
 * after the secret, so they are left out.
 */
export function forms(secret: string): ReadonlyMap<string, string> {
  if (secret.length < SHORTEST) throw new Error(`a secret of ${secret.length} characters cannot be looked for`);
  const found = new Map([
    ['as it is', secret],
    ['URL-encoded', encodeURIComponent(secret)],
    ['in hexadecimal', Buffer.from(secret).toString('hex')],
  ]);
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    const whole = bytes.toString('base64').replace(/=+$/, '');
    const inner = whole.slice(Math.ceil((before * 8) / 6), bytes.length % 3 === 0 ? undefined : -1);
    found.set(`in base64 at ${before}`, inner);
    found.set(`in base64 for URLs at ${before}`, inner.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return found;
}

/** `base64` and PEM break lines; JSON writes a break as `\n`, and JSON within JSON as `\\n`. */
const withoutBreaks = (text: string) => text.replace(/\\+[rn]|[\r\n]+/g, '');

/**
 * Looks for every secret in every place.
 * @returns one line for each finding: `join token in base64 at 1: output of commands`
 */
export function leaks(secrets: Readonly<Record<string, string>>, places: Readonly<Record<string, string>>): string[] {
  const sought = Object.entries(secrets).map(([name, secret]) => ({ name, forms: forms(secret) }));
  return Object.entries(places).flatMap(([place, text]) => {
    const texts = [text.toLowerCase(), withoutBreaks(text).toLowerCase()];
    return sought.flatMap(({ name, forms }) =>
      [...forms]
        .filter(([, form]) => texts.some((searched) => searched.includes(form.toLowerCase())))
        .map(([how]) => `${name} ${how}: ${place}`),
    );
  });
}
