import { connect } from 'node:net';
import { DescribeInstanceInformationCommand, SSMClient } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { operation, type Service, type World } from '../../../local/aws/service';
import { ScaledClock } from '../../../local/clock';
import { createEndpoint } from '../../../local/wire/endpoint';
import { jsonResponse, type Route, type Served, serve } from '../../../local/wire/server';
import { testWorld } from '../../support/world';

const ssm: Service = {
  name: 'ssm',
  protocol: 'json-1.1',
  version: 'AmazonSSM',
  operations: {
    DescribeInstanceInformation: operation({
      input: z.strictObject({}),
      handle: () => ({ InstanceInformationList: [{ InstanceId: 'i-1' }] }),
    }),
  },
  resources: {},
};

describe('the server', () => {
  const world: World = { ...testWorld(), clock: new ScaledClock(1000) };
  let served: Served | undefined;

  const start = async (routes: Record<string, Route> = {}) => {
    served = await serve(createEndpoint(world, [ssm]), { port: 0, routes });
    return served;
  };
  const client = ({ url }: Served) =>
    new SSMClient({
      endpoint: url,
      region: 'eu-west-3',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });

  afterEach(async () => {
    world.faults.clear();
    await served?.close();
  });
  afterAll(() => world.clock.close());

  it('answers SDK clients on any free port', async () => {
    const answer = await client(await start()).send(new DescribeInstanceInformationCommand({}));
    expect(answer.InstanceInformationList).toEqual([{ InstanceId: 'i-1' }]);
  });

  it('breaks the connection when the reply is lost', async () => {
    world.faults.onCall('ssm', '*', { kind: 'lost-reply' });
    const call = client(await start()).send(new DescribeInstanceInformationCommand({}));
    await expect(call).rejects.toThrow('socket hang up');
  });

  it('hands its own routes what is not AWS’ wire', async () => {
    const { url } = await start({
      'GET /_local/state': () => jsonResponse({ servers: [] }),
      'POST /_local/fault/*': ({ path, body }) => jsonResponse({ path, body: body.toString() }, 201),
    });
    expect(await (await fetch(`${url}/_local/state?x=1`)).json()).toEqual({ servers: [] });
    const posted = await fetch(`${url}/_local/fault/kill`, { method: 'POST', body: 'i-1' });
    expect([posted.status, await posted.json()]).toEqual([201, { path: '/_local/fault/kill', body: 'i-1' }]);
    expect((await fetch(`${url}/_local/nothing`)).status).toBe(403);
  });

  it('says which port is taken', async () => {
    const { port } = await start();
    await expect(serve(createEndpoint(world, []), { port })).rejects.toMatchObject({
      name: 'AddressInUse',
      message: `127.0.0.1:${port} is already in use`,
      port,
    });
  });

  it('ends open connections when it closes', async () => {
    const { port, close } = await start();
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    await close();
    await ended;
  });
});
