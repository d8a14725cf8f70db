import { addDecimals, canonicalNumber, compareDecimals } from '../../../../local/aws/dynamodb/decimal';

describe('DynamoDB numbers', () => {
  it.each([
    ['007', '7'],
    ['1.50', '1.5'],
    ['-0', '0'],
    ['.5', '0.5'],
    ['1e3', '1000'],
    ['-12.3e-4', '-0.00123'],
    ['12345678901234567890123456789012345678', '12345678901234567890123456789012345678'],
  ])('stores %s as %s', (given, stored) => {
    expect(canonicalNumber(given)).toBe(stored);
  });

  it.each([
    ['abc', 'The parameter cannot be converted to a numeric value: abc'],
    ['', 'The parameter cannot be converted to a numeric value'],
    ['1e126', 'Number overflow. Attempting to store a number with magnitude larger than supported range'],
    ['1e-131', 'Number underflow. Attempting to store a number with magnitude smaller than supported range'],
    ['1'.repeat(39), 'Attempting to store more than 38 significant digits in a Number'],
  ])('refuses %s', (given, message) => {
    expect(() => canonicalNumber(given)).toThrow(message);
  });

  it('adds and compares exactly where floating point would not', () => {
    expect(addDecimals('0.1', '0.2')).toBe('0.3');
    expect(addDecimals('9007199254740993', '1')).toBe('9007199254740994');
    expect(addDecimals('1', '2.5', -1n)).toBe('-1.5');
    expect(compareDecimals('10', '9')).toBe(1);
    expect(compareDecimals('1e2', '100.0')).toBe(0);
  });
});
