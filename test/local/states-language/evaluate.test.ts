import { VirtualClock } from '../../../local/clock';
import { Random } from '../../../local/random';
import { type Bindings, Evaluator, listExpressions, parseDefinition } from '../../../local/states-language';

const evaluator = () => new Evaluator(new VirtualClock(Date.UTC(2026, 0, 2, 3, 4, 5)), new Random(7));
const bindings = (input = {}, variables = {}): Bindings => ({ variables, states: { input, context: {} } });
const evaluate = (expression: string, input = {}, variables = {}) =>
  evaluator().expression(expression, bindings(input, variables), { state: 'S', field: 'Output' });

describe('an expression', () => {
  it('reads $states and variables', async () => {
    expect(await evaluate('$states.input.a + $b', { a: 1 }, { b: 2 })).toBe(3);
  });

  it('sees nothing at the top level', async () => {
    await expect(evaluate('a', { a: 1 })).rejects.toThrow('returned nothing (undefined)');
  });

  it('that yields nothing fails, naming itself and its field', async () => {
    await expect(
      evaluator().expression('$states.input.none', bindings(), {
        state: 'Launch',
        enteredEventId: 7,
        field: 'Arguments/Payload',
      }),
    ).rejects.toMatchObject({
      error: 'States.QueryEvaluationError',
      location: 'Arguments/Payload',
      cause:
        "An error occurred while executing the state 'Launch' (entered at the event id #7). The JSONata expression '$states.input.none' specified for the field 'Arguments/Payload' returned nothing (undefined).",
    });
  });

  it('that throws fails with the reason', async () => {
    await expect(evaluate('1 + "a"')).rejects.toThrow(/threw an error during evaluation. T2002: /);
    await expect(evaluate('$error("broken")')).rejects.toThrow('broken');
  });

  it('must yield JSON', async () => {
    await expect(evaluate('$sum')).rejects.toThrow("unsupported result type 'function'");
    await expect(evaluate('{"f": function($x){$x}}')).rejects.toThrow("unsupported result type 'function'");
  });

  it('drops members without a value, as JSONata objects do', async () => {
    expect(await evaluate('{"a": 1, "b": $states.input.none}')).toEqual({ a: 1 });
  });

  it('yields null and false as they are', async () => {
    expect(await evaluate('null')).toBeNull();
    expect(await evaluate('false')).toBe(false);
  });
});

describe('a template', () => {
  it('evaluates strings at any depth and keeps the rest', async () => {
    const template = { a: ['{% 1 + 1 %}', 'text', 3, null], b: { c: '{% $states.input %}' } };
    expect(await evaluator().template(template, bindings({ x: 1 }), { state: 'S', field: 'Output' })).toEqual({
      a: [2, 'text', 3, null],
      b: { c: { x: 1 } },
    });
  });

  it('locates a failing part', async () => {
    await expect(
      evaluator().template({ a: ['{% $states.input.none %}'] }, bindings(), { state: 'S', field: 'Output' }),
    ).rejects.toMatchObject({ location: 'Output/a[0]' });
  });
});

describe("AWS's functions", () => {
  it.each([
    ['$partition([1,2,3,4,5], 2)', [[1, 2], [3, 4], [5]]],
    ['$range(1, 10, 3)', [1, 4, 7, 10]],
    ['$range(5, 1, -2)', [5, 3, 1]],
    ['$hash("abc", "SHA-1")', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['$parse("{\\"a\\":[1]}")', { a: [1] }],
    ['$random(3) = $random(3)', true],
    ['$now()', '2026-01-02T03:04:05.000Z'],
    ['$now("[Y0001]-[M01]")', '2026-01'],
    ['$millis()', Date.UTC(2026, 0, 2, 3, 4, 5)],
    ['$sort($shuffle([3,1,2]))', [1, 2, 3]],
  ])('%s', async (expression, expected) => {
    expect(await evaluate(expression)).toEqual(expected);
  });

  it('$uuid and $random come from the seeded source', async () => {
    expect(await evaluate('$uuid()')).toBe(await evaluate('$uuid()'));
    expect(await evaluate('$random()')).toBe(new Random(7).next());
  });

  it.each([
    ['$partition([1], 0)', 'at least 1'],
    ['$range(1, 2000, 1)', 'more than 1000'],
    ['$range(1, 2, 0)', 'must not be 0'],
    ['$hash("a", "CRC")', 'must be one of MD5'],
    ['$parse("{")', 'is not JSON'],
    ['$eval("1")', 'not supported'],
  ])('%s is refused', async (expression, message) => {
    await expect(evaluate(expression)).rejects.toThrow(message);
  });
});

it('every expression of a definition can be listed with its place', () => {
  const definition = parseDefinition(
    JSON.stringify({
      QueryLanguage: 'JSONata',
      StartAt: 'Map',
      States: {
        Map: {
          Type: 'Map',
          Items: '{% $states.input.slots %}',
          ItemSelector: { slot: '{% $states.context.Map.Item.Value %}', fixed: 'text' },
          ItemProcessor: {
            StartAt: 'Inner',
            States: { Inner: { Type: 'Wait', Seconds: '{% $states.input.slot %}', End: true } },
          },
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Decide', Assign: { why: '{% $states.errorOutput.Cause %}' } }],
          Next: 'Decide',
        },
        Decide: { Type: 'Choice', Choices: [{ Condition: '{% $exists($why) %}', Next: 'End' }], Default: 'End' },
        End: { Type: 'Succeed' },
      },
    }),
  );
  expect(listExpressions(definition)).toEqual([
    { path: ['Map'], field: 'Items', expression: '$states.input.slots' },
    { path: ['Map'], field: 'ItemSelector/slot', expression: '$states.context.Map.Item.Value' },
    { path: ['Map'], field: 'Catch[0]/Assign/why', expression: '$states.errorOutput.Cause' },
    { path: ['Decide'], field: 'Choices[0]/Condition', expression: '$exists($why)' },
    { path: ['Map', 'Inner'], field: 'Seconds', expression: '$states.input.slot' },
  ]);
});
