import { connect } from 'node:tls';
import { VirtualClock } from '../../../local/clock';
import { createAuthority, issue } from '../../../local/k3s/pki';
import { tlsData } from '../../../local/k3s/tls-secret';
import { createSocketNetwork, type SocketNetwork } from '../../../local/network-sockets';
import { Random } from '../../../local/random';
import { Lab, type TestMachine } from './fixture';

let network: SocketNetwork;
let lab: Lab;
let machine: TestMachine;
beforeAll(async () => {
  const clock = new VirtualClock();
  network = await createSocketNetwork({ clock });
  lab = new Lab(1, clock, network);
  machine = await lab.first();
});
afterAll(async () => {
  lab.close();
  await network.close();
});

/** The name on the certificate that Traefik shows. Port 443 is 8443 on this machine. */
function shown(servername: string): Promise<string | string[] | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: machine.address, port: 8443, servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('Traefik shows the certificate of the Ingress that names the host, and its own to everybody else', async () => {
  const authority = createAuthority('an authority', new Random(1), lab.clock.now());
  const names = ['demo.example.org', '*.shop.example.org'];
  const own = issue(authority, { commonName: names[0]!, names }, new Random(2), lab.clock.now());
  const metadata = { name: 'demo', namespace: 'default' };
  machine.files.write(
    '/tmp/objects.json',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data: tlsData(own) },
        {
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          metadata,
          spec: { tls: [{ hosts: names, secretName: 'demo' }], rules: [] },
        },
      ],
    }),
  );
  await lab.clock.advance(90_000);
  expect(await shown('demo.example.org')).toBe('TRAEFIK DEFAULT CERT');
  expect((await machine.kubectl('apply', '--server-side', '-f', '/tmp/objects.json')).exitCode).toBe(0);
  await lab.clock.advance(5_000);
  expect(await shown('demo.example.org')).toBe('demo.example.org');
  expect(await shown('one.shop.example.org')).toBe('demo.example.org');
  expect(await shown('other.example.org')).toBe('TRAEFIK DEFAULT CERT');
});
