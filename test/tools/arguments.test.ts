import { helpText, parseLine, port, UsageError } from '../../tools/arguments';
import { FLAGS } from '../../tools/local/flags';

const parse = (...line: string[]) => parseLine({ flags: FLAGS }, line).flags;

describe('the command line of npm run local', () => {
  it('has defaults for everything', () => {
    expect(parse()).toEqual({ once: false, json: false, input: {}, timeScale: 20, port: 4566 });
  });

  it('takes every flag', () => {
    expect(parse('--once', '--json', '--input', '{"reason":"try"}', '--time-scale', '50', '--port', '0')).toEqual({
      once: true,
      json: true,
      input: { reason: 'try' },
      timeScale: 50,
      port: 0,
    });
  });

  it.each([
    [['--frobnicate'], /^there is no flag --frobnicate; --help lists the flags$/],
    [['-p'], /^there is no flag -p; /],
    [['now'], /^now is no flag; --help lists the flags$/],
    [['--port'], /^--port must be followed by its value, N$/],
    [['--port', '--once'], /^--port must be followed by its value, N$/],
    [['--once=no'], /^--once takes no value, is no$/],
    [['--port', '-1'], /^--port must be a whole number from 0 to 65535, is -1$/],
    [['--time-scale=-.5'], /^--time-scale must be a number from 0.1 to 200, is -.5$/],
    [['--port', 'http'], /--port must be a whole number from 0 to 65535, is http/],
    [['--port', '70000'], /--port must be a whole number from 0 to 65535, is 70000/],
    [['--time-scale', '0'], /--time-scale must be a number from 0.1 to 200, is 0/],
    [['--input', '{"a":'], /--input must be JSON, is {"a":/],
    [['--input', '[]'], /--input must be a JSON object/],
  ])('refuses %j in one line', (line, message) => {
    expect(() => parse(...line)).toThrow(UsageError);
    expect(() => parse(...line)).toThrow(message);
    try {
      parse(...line);
    } catch (error) {
      expect(String(error)).not.toContain('\n');
    }
  });

  it('names everything that is wrong, a line each', () => {
    expect(() => parse('--port', 'http', '--twice', 'now', '--time-scale', '-1', '--input')).toThrow(
      [
        'there is no flag --twice; --help lists the flags',
        '--input must be followed by its value, JSON',
        '--port must be a whole number from 0 to 65535, is http',
        '--time-scale must be a number from 0.1 to 200, is -1',
        'now is no flag; --help lists the flags',
      ].join('\n'),
    );
  });

  it('takes the value behind an equals sign as well, and the last of several', () => {
    expect(parse('--port=4000', '--input={"reason":"a=b"}', '--port', '5000')).toMatchObject({
      input: { reason: 'a=b' },
      port: 5000,
    });
  });

  it('explains every flag in its help text', () => {
    const help = helpText({ name: 'local', purpose: 'purpose', flags: FLAGS });
    for (const flag of ['--once', '--json', '--input JSON', '--time-scale N', '--port N', '--help'])
      expect(help).toContain(flag);
  });
});

describe('a tool that takes words', () => {
  const tool = {
    name: 'break',
    purpose: 'Breaks something.',
    flags: { endPort: port('where') },
    words: { placeholder: 'WHAT', help: '  kill SERVER' },
  };

  it('gets them without the flags between them', () => {
    const line = parseLine(tool, ['kill', '--end-port', '80', 'server-1']);
    expect(line).toEqual({ flags: { endPort: 80 }, words: ['kill', 'server-1'], help: false });
  });

  it('gets its help when that is asked for anywhere', () => {
    expect(parseLine(tool, ['kill', '--help'])).toMatchObject({ help: true });
  });

  it('explains them below its flags', () => {
    expect(helpText(tool)).toBe(
      [
        'Breaks something.',
        '',
        'usage: npm run break -- WHAT [flags]',
        '',
        '  --end-port N  where',
        '  --help        this text',
        '',
        '  kill SERVER',
      ].join('\n'),
    );
  });
});
