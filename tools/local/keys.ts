/** The keys of a terminal while a cluster runs. */

export type Key = 'kill' | 'hang' | 'partition' | 'clear' | 'explain' | 'inbox' | 'quit';

const KEYS: Record<string, Key> = {
  k: 'kill',
  h: 'hang',
  p: 'partition',
  c: 'clear',
  e: 'explain',
  i: 'inbox',
  q: 'quit',
  // Ctrl-C and Ctrl-D: a terminal in raw mode makes no signals of them.
  '\u0003': 'quit',
  '\u0004': 'quit',
};

/** The keys with what they do, for a line at the bottom. */
export const KEY_HELP = 'k kill · h hang · p partition · c clear · e explain · i inbox · q quit';

/** What was typed; a key without a meaning is none. */
export function readKeys(typed: string): Key[] {
  return [...typed].flatMap((character) => KEYS[character.toLowerCase()] ?? []);
}

/** The part of a terminal's input that is used here. */
export interface KeyInput extends NodeJS.EventEmitter {
  setRawMode(raw: boolean): unknown;
  setEncoding(encoding: 'utf8'): unknown;
  resume(): unknown;
  pause(): unknown;
}

/** Calls `press` for every key until the returned function is called, which also gives the terminal back. */
export function listenToKeys(input: KeyInput, press: (key: Key) => void): () => void {
  const take = (typed: string) => {
    for (const key of readKeys(typed)) press(key);
  };
  const restore = () => {
    process.off('exit', restore);
    input.off('data', take);
    input.setRawMode(false);
    input.pause();
  };
  // Also when the process ends in another way: a terminal left in raw mode shows nothing of what is typed.
  process.on('exit', restore);
  input.setRawMode(true);
  input.setEncoding('utf8');
  input.on('data', take);
  input.resume();
  return restore;
}
