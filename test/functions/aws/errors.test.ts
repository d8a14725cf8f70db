import { attempt, explain, isRefusal, isThrottle } from '../../../functions/aws/errors';

const failing = (fields: object) => Object.assign(new Error('no'), fields);

describe('faults that have nothing to do with the request', () => {
  it.each([
    [{ name: 'RequestLimitExceeded' }],
    [{ name: 'ThrottlingException' }],
    [{ name: 'ProvisionedThroughputExceededException' }],
    [{ name: 'Whatever', $metadata: { httpStatusCode: 429 } }],
  ])('%j surfaces as Throttled', async (fields) => {
    const error = failing(fields);
    await expect(attempt('Op', () => Promise.reject(error))).rejects.toMatchObject({
      name: 'Throttled',
      message: expect.stringContaining('Op was throttled'),
      cause: error,
    });
  });

  it.each([
    [{ name: 'InternalError' }],
    [{ name: 'TimeoutError' }],
    [{ name: 'Error', code: 'ECONNRESET' }],
    [{ name: 'Whatever', $metadata: { httpStatusCode: 503 } }],
  ])('%j surfaces as Unavailable', async (fields) => {
    await expect(attempt('Op', () => Promise.reject(failing(fields)))).rejects.toMatchObject({ name: 'Unavailable' });
  });

  it('leaves every other error as it is', async () => {
    const error = failing({ name: 'InvalidParameterValue', $metadata: { httpStatusCode: 400 } });
    await expect(attempt('Op', () => Promise.reject(error))).rejects.toBe(error);
  });
});

describe('reading errors', () => {
  it('takes a client fault for a refusal, but not a throttle', () => {
    expect(isRefusal(failing({ name: 'InvalidAMIID.NotFound', $metadata: { httpStatusCode: 400 } }))).toBe(true);
    const throttle = failing({ name: 'RequestLimitExceeded', $metadata: { httpStatusCode: 400 } });
    expect([isThrottle(throttle), isRefusal(throttle)]).toEqual([true, false]);
    expect(isRefusal(new TypeError('a bug'))).toBe(false);
  });

  it('takes a lack of capacity for a refusal, although EC2 answers it with status 500', async () => {
    const error = failing({ name: 'InsufficientInstanceCapacity', $metadata: { httpStatusCode: 500 } });
    expect(isRefusal(error)).toBe(true);
    await expect(attempt('RunInstances', () => Promise.reject(error))).rejects.toBe(error);
  });

  it('says for people what AWS said', () => {
    expect(explain(failing({ name: 'Unsupported' }))).toBe('Unsupported: no');
    expect(explain('text')).toBe('text');
  });
});
