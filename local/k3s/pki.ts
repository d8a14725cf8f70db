/**
 * X.509 material of a cluster, made from the embedded AWS's own randomness. Ed25519 rather than K3s' ECDSA: its
 * signatures are deterministic, so that a seed gives the same certificate, and with it the same CA hash, every time.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
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
  /** IPv4 subject alternative names. */
  addresses: readonly string[];
  /** DNS subject alternative names. */
  names: readonly string[];
}

const YEAR = 365 * 24 * 3600_000;

/** A self-signed CA, valid for ten years as K3s' own (https://docs.k3s.io/cli/certificate). */
export function createAuthority(name: string, random: Random, now: number): Authority {
  const key = privateKey(random);
  const extensions = [
    extension('551d13', true, sequence(BOOLEAN_TRUE)),
    // keyCertSign, cRLSign
    extension('551d0f', true, tlv(0x03, Buffer.from([0x01, 0x06]))),
  ];
  const cert = certificate({ subject: name, issuer: name, key, signer: key, extensions, years: 10, random, now });
  return { name, cert, key: pem(key) };
}

/** A server certificate, valid for one year. */
export function issue(authority: Authority, subject: Subject, random: Random, now: number): Identity {
  const key = privateKey(random);
  const alternatives = [
    ...subject.names.map((name) => tlv(0x82, Buffer.from(name))),
    ...subject.addresses.map((address) => tlv(0x87, Buffer.from(address.split('.').map(Number)))),
  ];
  const extensions = [
    // digitalSignature
    extension('551d0f', true, tlv(0x03, Buffer.from([0x07, 0x80]))),
    // serverAuth
    extension('551d25', false, sequence(oid('2b06010505070301'))),
    ...(alternatives.length > 0 ? [extension('551d11', false, sequence(...alternatives))] : []),
  ];
  const cert = certificate({
    subject: subject.commonName,
    issuer: authority.name,
    key,
    signer: createPrivateKey(authority.key),
    extensions,
    years: 1,
    random,
    now,
  });
  return { cert, key: pem(key) };
}

/**
 * The hash in `K10<hash>::server:<token>`: the SHA-256 of the PEM file's bytes when it holds one certificate (hashCA in
 * k3s pkg/clientaccess/token.go).
 */
export function caHash(cert: string): string {
  return createHash('sha256').update(cert).digest('hex');
}

interface Certificate {
  subject: string;
  issuer: string;
  key: KeyObject;
  signer: KeyObject;
  extensions: Buffer[];
  years: number;
  random: Random;
  now: number;
}

function certificate({ subject, issuer, key, signer, extensions, years, random, now }: Certificate): string {
  const body = sequence(
    // Version 3.
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, Buffer.from(`4${random.hex(15)}`, 'hex')),
    ED25519,
    distinguishedName(issuer),
    sequence(time(now - 60_000), time(now + years * YEAR)),
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

function distinguishedName(commonName: string): Buffer {
  return sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(commonName)))));
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
