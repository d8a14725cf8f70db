/**
 * X.509 material of a cluster, made from the embedded AWS's own randomness. Ed25519 rather than K3s' ECDSA: its
 * signatures are deterministic, so that a seed gives the same certificate, and with it the same CA hash, every time.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import type { Random } from '../random';

export interface Identity {
  /** PEM. */
  cert: string;
  /** PEM, PKCS #8. */
  key: string;
}

export interface Authority extends Identity {
  name: string;
}

interface Subject {
  commonName: string;
  /** Kubernetes reads a client's groups from it. */
  organization?: string;
  /** IPv4 subject alternative names. */
  addresses?: readonly string[];
  /** DNS subject alternative names. */
  names?: readonly string[];
}

const DAY = 24 * 3600_000;
const YEAR = 365 * DAY;
/** The embedded AWS's clock may run far ahead of the clocks of those who verify its certificates. */
const BACKDATED = 30 * DAY;

/** A self-signed CA, valid for ten years as K3s' own (https://docs.k3s.io/cli/certificate). */
export function createAuthority(name: string, random: Random, now: number): Authority {
  const key = privateKey(random);
  const extensions = [
    extension('551d13', true, sequence(BOOLEAN_TRUE)),
    // keyCertSign, cRLSign
    extension('551d0f', true, tlv(0x03, Buffer.from([0x01, 0x06]))),
  ];
  const subject = { commonName: name };
  const from = now - BACKDATED;
  const until = now + 10 * YEAR;
  const cert = certificate({ subject, issuer: name, key, signer: key, extensions, from, until, random });
  return { name, cert, key: pem(key) };
}

/**
 * A certificate, valid from when its authority is (NewSignedCert in rancher/dynamiclistener cert/cert.go).
 * @param usage what its holder may prove with it
 * @param until epoch ms; a year from now unless given, as K3s issues them
 */
export function issue(
  authority: Authority,
  subject: Subject,
  random: Random,
  now: number,
  usage: 'server' | 'client' = 'server',
  until = now + YEAR,
): Identity {
  const key = privateKey(random);
  const signer = signerOf(authority);
  const alternatives = [
    ...(subject.names ?? []).map((name) => tlv(0x82, Buffer.from(name))),
    ...(subject.addresses ?? []).map((address) => tlv(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  const extensions = [
    // digitalSignature
    extension('551d0f', true, tlv(0x03, Buffer.from([0x07, 0x80]))),
    // serverAuth, clientAuth
    extension('551d25', false, sequence(oid(`2b060105050703${usage === 'server' ? '01' : '02'}`))),
    ...(alternatives.length > 0 ? [extension('551d11', false, sequence(...alternatives))] : []),
  ];
  const cert = certificate({
    subject,
    issuer: authority.name,
    key,
    signer: signer.key,
    extensions,
    from: signer.from,
    until,
    random,
  });
  return { cert, key: pem(key) };
}

interface Signer {
  key: KeyObject;
  /** Since when the authority is valid, epoch ms. */
  from: number;
}

/** What was read from authorities before: they sign certificate after certificate. */
const signers = new WeakMap<Authority, Signer>();

function signerOf(authority: Authority): Signer {
  const known = signers.get(authority);
  if (known) return known;
  const from = Date.parse(new X509Certificate(authority.cert).validFrom);
  const signer = { key: createPrivateKey(authority.key), from };
  signers.set(authority, signer);
  return signer;
}

/**
 * The hash in `K10<hash>::server:<token>`: the SHA-256 of the PEM file's bytes when it holds one certificate (hashCA in
 * k3s pkg/clientaccess/token.go).
 */
export function caHash(cert: string): string {
  return createHash('sha256').update(cert).digest('hex');
}

interface Certificate {
  subject: Subject;
  issuer: string;
  key: KeyObject;
  signer: KeyObject;
  extensions: Buffer[];
  /** Epoch ms. */
  from: number;
  /** Epoch ms. */
  until: number;
  random: Random;
}

function certificate({ subject, issuer, key, signer, extensions, from, until, random }: Certificate): string {
  const body = sequence(
    // Version 3.
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.from(`4${random.hex(15)}`, 'hex')),
    ED25519,
    distinguishedName({ commonName: issuer }),
    sequence(time(from), time(until)),
    distinguishedName(subject),
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = sign(null, body, signer);
  const der = sequence(body, ED25519, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** PKCS #8 of an Ed25519 key is a fixed prefix and the 32 bytes of the key (RFC 8410). */
function privateKey(random: Random): KeyObject {
  const der = Buffer.from(`302e020100300506032b657004220420${random.hex(64)}`, 'hex');
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}

function tlv(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

function sequence(...items: Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(items));
}

function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

function distinguishedName({ commonName, organization }: Subject): Buffer {
  const attribute = (id: string, value: string) => tlv(0x31, sequence(oid(id), tlv(0x0c, Buffer.from(value))));
  const groups = organization === undefined ? [] : [attribute('55040a', organization)];
  return sequence(...groups, attribute('550403', commonName));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
  return tlv(0x18, Buffer.from(`${digits}Z`));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [BOOLEAN_TRUE] : []), tlv(0x04, value));
}

const BOOLEAN_TRUE = Buffer.from([0x01, 0x01, 0xff]);
/** The algorithm identifier of Ed25519, keys and signatures alike (RFC 8410). */
const ED25519 = sequence(oid('2b6570'));
