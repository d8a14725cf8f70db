import { createHash, X509Certificate } from 'node:crypto';
import { caHash, createAuthority, issue } from '../../../local/k3s/pki';
import { Random } from '../../../local/random';

const NOW = Date.UTC(2026, 0, 1);
const authority = (seed: number) => createAuthority('k3s-server-ca@1', new Random(seed), NOW);

test('a server certificate is vouched for by its authority, for its names and addresses', () => {
  const ca = authority(1);
  const subject = { commonName: 'k3s', addresses: ['127.77.1.10'], names: ['demo.example.org'] };
  const { cert, key } = issue(ca, subject, new Random(2), NOW);
  const certificate = new X509Certificate(cert);
  expect(certificate.verify(new X509Certificate(ca.cert).publicKey)).toBe(true);
  expect(certificate.checkIP('127.77.1.10')).toBe('127.77.1.10');
  expect(certificate.checkHost('demo.example.org')).toBe('demo.example.org');
  expect(new X509Certificate(ca.cert).ca).toBe(true);
  expect(certificate.ca).toBe(false);
  expect(key).toContain('PRIVATE KEY');
});

test('the hash is the SHA-256 of the file, as sha256sum on the machine computes it', () => {
  const { cert } = authority(1);
  expect(caHash(cert)).toBe(createHash('sha256').update(cert).digest('hex'));
});

test('the same randomness gives the same authority, another another', () => {
  expect(authority(1)).toEqual(authority(1));
  expect(authority(2).cert).not.toBe(authority(1).cert);
});
