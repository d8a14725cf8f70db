import { DefinitionError, parseDefinition } from '../../../local/states-language';

const faults = (definition: object | string): string[] => {
  try {
    parseDefinition(typeof definition === 'string' ? definition : JSON.stringify(definition));
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.faults;
    throw error;
  }
};
const machine = (states: Record<string, object>, rest: object = {}) => ({
  QueryLanguage: 'JSONata',
  StartAt: Object.keys(states)[0],
  States: states,
  ...rest,
});
const pass = { Type: 'Pass', End: true };
const task = { Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', End: true };

describe('a definition is accepted', () => {
  it('with every kind of state', () => {
    expect(
      faults(
        machine({
          Task: {
            ...task,
            End: undefined,
            Next: 'Choice',
            Arguments: { FunctionName: 'f', Payload: '{% $states.input %}' },
            TimeoutSeconds: '{% $states.input.limit %}',
            Retry: [{ ErrorEquals: ['A'], JitterStrategy: 'FULL' }, { ErrorEquals: ['States.ALL'] }],
            Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Fail', Output: '{% $states.errorOutput %}' }],
          },
          Choice: { Type: 'Choice', Choices: [{ Condition: '{% true %}', Next: 'Wait' }], Default: 'Parallel' },
          Wait: { Type: 'Wait', Seconds: 1, Next: 'Map' },
          Map: {
            Type: 'Map',
            Items: '{% [1,2] %}',
            MaxConcurrency: 1,
            ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'Inner', States: { Inner: pass } },
            Next: 'Succeed',
          },
          Parallel: { Type: 'Parallel', Branches: [{ StartAt: 'Branch', States: { Branch: pass } }], Next: 'Succeed' },
          Succeed: { Type: 'Succeed' },
          Fail: { Type: 'Fail', Error: '{% $states.input.Error %}' },
        }),
      ),
    ).toEqual([]);
  });
});

describe('a definition is refused, naming the state', () => {
  it.each<[string, object | string, RegExp]>([
    ['text that is not JSON', '{', /^INVALID_JSON_DESCRIPTION: /],
    ['no query language, which means JSONPath', { StartAt: 'A', States: { A: pass } }, /at \/QueryLanguage$/],
    ['an unknown field', machine({ A: { ...pass, InputPath: '$' } }), /"InputPath" at \/States\/A$/],
    ['an unknown type', machine({ A: { Type: 'Loop' } }), /at \/States\/A\/Type$/],
    [
      'an unknown field deep inside',
      machine({
        M: {
          Type: 'Map',
          End: true,
          ItemProcessor: { StartAt: 'I', States: { I: { ...pass, Result: 1 } } },
        },
      }),
      /"Result" at \/States\/M\/ItemProcessor\/States\/I$/,
    ],
    ['a missing target', machine({ A: { Type: 'Pass', Next: 'B' } }), /Missing 'Next' target: B at \/States\/A\/Next$/],
    [
      'a missing catch target',
      machine({ A: { ...task, Catch: [{ ErrorEquals: ['X'], Next: 'B' }] } }),
      /target: B at \/States\/A\/Catch\[0\]\/Next$/,
    ],
    ['a missing start', machine({ A: pass }, { StartAt: 'B' }), /Missing 'StartAt' target: B/],
    ['an unreachable state', machine({ A: pass, B: pass }), /State "B" is not reachable/],
    ['a state with no way out', machine({ A: { Type: 'Pass' } }), /Exactly one of "Next" and "End".* at \/States\/A$/],
    [
      'a state that ends and goes on',
      machine({ A: { ...pass, Next: 'B' }, B: pass }),
      /Exactly one of "Next" and "End".* at \/States\/A$/,
    ],
    [
      'a target across a Map',
      machine({
        M: { Type: 'Map', End: true, ItemProcessor: { StartAt: 'I', States: { I: { Type: 'Pass', Next: 'M' } } } },
      }),
      /Missing 'Next' target: M/,
    ],
    [
      'a name used twice',
      machine({ A: { Type: 'Parallel', End: true, Branches: [{ StartAt: 'A', States: { A: pass } }] } }),
      /State name "A" is used twice/,
    ],
    ['two kinds of waiting', machine({ A: { Type: 'Wait', End: true } }), /Exactly one of "Seconds" and "Timestamp"/],
    [
      'a time that is none',
      machine({ A: { Type: 'Wait', Timestamp: 'tomorrow', End: true } }),
      /"Timestamp" must be an RFC 3339 time/,
    ],
    [
      'States.ALL in company',
      machine({ A: { ...task, Retry: [{ ErrorEquals: ['States.ALL', 'X'] }] } }),
      /States.ALL must be alone/,
    ],
    [
      'States.ALL before others',
      machine({ A: { ...task, Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['X'] }] } }),
      /States.ALL must be in the last/,
    ],
    [
      'a heartbeat that outlasts the timeout',
      machine({ A: { ...task, TimeoutSeconds: 5, HeartbeatSeconds: 5 } }),
      /"HeartbeatSeconds" must be smaller/,
    ],
    [
      'a fractional interval',
      machine({ A: { ...task, Retry: [{ ErrorEquals: ['X'], IntervalSeconds: 0.5 }] } }),
      /int/,
    ],
    [
      'a syntax error in an expression',
      machine({ A: { ...pass, Output: { a: ['{% $states.input. %}'] } } }),
      /JSONata syntax error: .* at \/States\/A\/Output\/a\[0\]$/,
    ],
    ['a brace with a space before it', machine({ A: { ...pass, Output: ' {% 1 %}' } }), /must start with {%/],
    ['a brace left open', machine({ A: { ...pass, Output: '{% 1' } }), /must start with {%/],
    [
      'a condition that is plain text',
      machine({ A: { Type: 'Choice', Choices: [{ Condition: 'yes', Next: 'B' }] }, B: pass }),
      /must be a JSONata expression .*Condition$/,
    ],
    ['an assignment to $states', machine({ A: { ...pass, Assign: { states: 1 } } }), /Assign/],
    [
      'a variable that nothing assigns',
      machine({ A: { ...pass, Output: '{% $cuont + 1 %}' } }),
      /Variable "cuont" is never assigned at \/States\/A\/Output$/,
    ],
    [
      'a variable of an inner scope read outside',
      machine({
        M: {
          Type: 'Map',
          ItemProcessor: { StartAt: 'I', States: { I: { ...pass, Assign: { inner: 1 } } } },
          Next: 'Out',
        },
        Out: { ...pass, Output: '{% $inner %}' },
      }),
      /Variable "inner" is never assigned at \/States\/Out\/Output$/,
    ],
    [
      'an inner assignment to an outer variable',
      machine({
        First: { Type: 'Pass', Assign: { x: 1 }, Next: 'M' },
        M: {
          Type: 'Map',
          End: true,
          ItemProcessor: { StartAt: 'I', States: { I: { ...pass, Assign: { x: 2 } } } },
        },
      }),
      /Variable "x" is assigned in an outer scope too at \/States\/M\/ItemProcessor\/States\/I$/,
    ],
  ])('%s', (_, definition, expected) => {
    expect(faults(definition)).toContainEqual(expect.stringMatching(expected));
  });

  it('with every fault at once', () => {
    expect(faults(machine({ A: { Type: 'Pass', Next: 'X' }, B: { Type: 'Pass', Next: 'Y' } }))).toHaveLength(3);
  });
});

it('names that an expression binds itself are not workflow variables', () => {
  const Output = '{% ($f := function($a, $b) { $a + $b }; $states.input.list@$item#$i.($f($item, $i))) %}';
  expect(faults(machine({ A: { ...pass, Output } }))).toEqual([]);
});
