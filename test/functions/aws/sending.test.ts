import { Commands } from '../../../functions/aws/commands';
import { OURS } from '../support/executions';

/** SSM behind a connection that breaks before any answer. */
function broken() {
  let requests = 0;
  const commands = new Commands({
    region: 'eu-west-3',
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    maxAttempts: 2,
    requestHandler: {
      handle: async () => {
        requests++;
        throw Object.assign(new Error('socket hang up'), { name: 'Error', code: 'ECONNRESET' });
      },
    },
  });
  return { commands, requests: () => requests };
}

describe('a script whose sending got no answer', () => {
  it('is not sent again when it changes something: it may run already', async () => {
    const { commands, requests } = broken();
    await expect(commands.send('StartServer', 'i-1', {}, OURS)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(requests()).toBe(1);
  });

  it('is sent again when it only reads', async () => {
    const { commands, requests } = broken();
    await expect(commands.ask('ReportStatus', ['i-1'])).rejects.toMatchObject({ name: 'Unavailable' });
    expect(requests()).toBe(2);
  });
});
