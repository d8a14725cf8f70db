import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod';
import { parseConfig } from '../../infra/config';
import { renderManifests } from '../../infra/manifests';

const ROOT = join(__dirname, '../..');
const LIMIT = 20_000;

/** The command of the image. */
function command(): string[] {
  const dockerfile = readFileSync(join(ROOT, 'tcpecho/Dockerfile'), 'utf8');
  return ['ENTRYPOINT', 'CMD'].flatMap((name) => {
    const line = dockerfile.match(new RegExp(`^${name} (.*)$`, 'm'))?.[1];
    return z.array(z.string()).parse(JSON.parse(line ?? '[]'));
  });
}

/** The command of the DaemonSet. */
function deployed(): string[] {
  const daemonSet = renderManifests(ROOT, parseConfig({})).find(({ kind }) => kind === 'DaemonSet');
  return z
    .object({
      spec: z.object({
        template: z.object({ spec: z.object({ containers: z.array(z.object({ command: z.array(z.string()) })) }) }),
      }),
    })
    .parse(daemonSet)
    .spec.template.spec.containers.flatMap((container) => container.command);
}

it('the image runs the same command as the DaemonSet', () => {
  expect(command()).toEqual(deployed());
});

const installed = spawnSync('socat', ['-V']).status === 0;
if (!installed) {
  console.warn('socat is not installed: the tests that run the echo service were skipped (sudo apt-get install socat)');
}

(installed ? describe : describe.skip)('the command, run here', () => {
  let echo: ChildProcess;
  let port: number;

  beforeAll(async () => {
    port = await freePort();
    const [program = '', ...args] = command().map((argument) =>
      argument.replace('LISTEN:2000', `LISTEN:${port},bind=127.0.0.1`),
    );
    echo = spawn(program, args, { stdio: 'ignore' });
    await untilListening();
  }, LIMIT);

  afterAll(() => echo.kill());

  it(
    'echoes',
    async () => {
      expect(await exchange(Buffer.from('hello'))).toEqual(Buffer.from('hello'));
    },
    LIMIT,
  );

  it(
    'echoes 8 MB to a client that sends everything before it reads anything',
    async () => {
      const sent = randomBytes(8 << 20);
      expect((await exchange(sent, 500)).equals(sent)).toBe(true);
    },
    LIMIT,
  );

  it(
    'answers a client that has closed its sending side, then closes',
    async () => {
      expect(await exchange(Buffer.from('bye'))).toEqual(Buffer.from('bye'));
      expect(await exchange(Buffer.alloc(0))).toEqual(Buffer.alloc(0));
    },
    LIMIT,
  );

  it(
    'serves 100 clients at once',
    async () => {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => open()));
      const answers = await Promise.all(
        sockets.map(async (socket, index) => {
          const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
          socket.write(`client ${index}`);
          return answer;
        }),
      );
      const children = childrenOf(echo.pid);
      for (const socket of sockets) socket.destroy();
      expect(answers).toEqual(sockets.map((_, index) => `client ${index}`));
      // One process for each, and no shell among them. Where the kernel does not say, none are listed.
      expect(new Set(children)).toEqual(children.length > 0 ? new Set(['socat']) : new Set());
    },
    LIMIT,
  );

  it(
    'never has more processes than its limit, and serves again when clients have left',
    async () => {
      const sockets = await Promise.all(Array.from({ length: 140 }, () => open()));
      for (const socket of sockets) socket.write('anyone?');
      await until(() => sockets.filter(({ bytesRead }) => bytesRead > 0).length === 128);
      expect(childrenOf(echo.pid).length).toBeLessThanOrEqual(128);
      for (const socket of sockets) socket.destroy();
      expect(await exchange(Buffer.from('hello'))).toEqual(Buffer.from('hello'));
    },
    LIMIT,
  );

  function open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => resolve(socket));
      socket.once('error', reject);
    });
  }

  /** A client in real time: the buffers between it and the server are the kernel's. Sends, closes the sending side, and returns what comes back until the other side closes. */
  async function exchange(data: Buffer, readAfterMs = 0): Promise<Buffer> {
    const socket = await open();
    socket.pause();
    socket.end(data);
    if (readAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, readAfterMs));
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(z.instanceof(Buffer).parse(chunk));
    return Buffer.concat(chunks);
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async function untilListening(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        (await open()).destroy();
        return;
      } catch (error) {
        if (attempt === 200) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
});

/** The names of the programs that a process has started and that still run, as far as the kernel tells. */
function childrenOf(pid: number | undefined): string[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(list)) return [];
  const pids = readFileSync(list, 'utf8').split(' ').filter(Boolean);
  return pids.map((child) => readFileSync(`/proc/${child}/comm`, 'utf8').trim());
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = z.object({ port: z.number() }).parse(server.address());
      server.close(() => resolve(port));
    });
  });
}
