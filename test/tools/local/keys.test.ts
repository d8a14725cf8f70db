import { EventEmitter } from 'node:events';
import { KEY_HELP, type KeyInput, listenToKeys, readKeys } from '../../../tools/local/keys';

class Terminal extends EventEmitter implements KeyInput {
  raw = false;
  setRawMode(raw: boolean) {
    this.raw = raw;
  }
  setEncoding() {}
  resume() {}
  pause() {}
}

describe('the keys', () => {
  it('mean what the help line says', () => {
    for (const part of KEY_HELP.split(' · ')) {
      const [key = '', meaning] = part.split(' ');
      expect(readKeys(key)).toEqual([meaning]);
    }
  });

  it('quit by Ctrl-C too, and mean nothing otherwise', () => {
    expect(readKeys('K\u0003x')).toEqual(['kill', 'quit']);
  });

  it('give the terminal back', () => {
    const terminal = new Terminal();
    const pressed: string[] = [];
    const exits = process.listenerCount('exit');
    const restore = listenToKeys(terminal, (key) => pressed.push(key));
    expect(terminal.raw).toBe(true);
    terminal.emit('data', 'e');
    restore();
    terminal.emit('data', 'q');
    expect(pressed).toEqual(['explain']);
    expect(terminal.raw).toBe(false);
    expect(process.listenerCount('exit')).toBe(exits);
  });
});
