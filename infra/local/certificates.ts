import 'reflect-metadata';
import { createPrivateKey, KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { join, resolve } from 'node:path';
import * as x509 from '@peculiar/x509';
import { makePrivateFolder, readPrivate, writePrivate } from './identity/private-file.ts';

/** Absolute paths of PEM files, readable by their owner alone. */
export interface Certificates {
  /** The development CA that clients must trust. */
  readonly caCertificate: string;
  /** The certificate of every HTTPS server of the stack, and its key. */
  readonly certificate: string;
  readonly key: string;
}

const DAY = 86_400_000;
/** A new certificate is of yesterday, so that a clock put back by a little does not make it one of the future. */
const BACKDATED = DAY;
const SERVER_DAYS = 396;
const SERVER_RENEWAL_DAYS = 30;
const CA_DAYS = 3650;

const KEY_TYPE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const CA_NAME = 'CN=Remote Rendering Functions development CA';
const SERVER_NAME = 'CN=localhost';

/** `sts.localhost` too: most clients take no wildcard right below a top-level name. */
const serverNames = new x509.SubjectAlternativeNameExtension([
  { type: 'dns', value: 'localhost' },
  { type: 'dns', value: '*.localhost' },
  { type: 'dns', value: 'sts.localhost' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
]);

/**
 * Name constraints (RFC 5280, 4.2.1.10): whoever got hold of the CA's key could vouch for `localhost`, what is below it, 127.0.0.0/8
 * and ::1, and for nothing else.
 */
const loopbackOnly = nameConstraints([
  der(0x82, Buffer.from('localhost')),
  der(0x87, Buffer.from([127, 0, 0, 0, 255, 0, 0, 0])),
  der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1]), Buffer.alloc(16, 0xff)])),
]);

/** A certificate and the private key that belongs to it. */
interface Identity {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

interface Files {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Sees that `{directory}/certificates/` holds a development CA and a server certificate for every loopback name, both good for at least
 * 30 days from `now`. What is missing, torn, foreign, outdated or of the future is made anew; the CA is otherwise kept, so that who
 * trusts it once need not do so again. It can vouch for nothing but loopback names.
 */
export async function prepareCertificates(directory: string, now: Date): Promise<Certificates> {
  const folder = join(resolve(directory), 'certificates');
  await makePrivateFolder(folder);
  const caFiles = { certificate: join(folder, 'ca.pem'), key: join(folder, 'ca-key.pem') };
  const serverFiles = { certificate: join(folder, 'server.pem'), key: join(folder, 'server-key.pem') };

  const keptCa = await read(caFiles);
  const ca = keptCa && isGoodCa(keptCa, now) ? keptCa : await write(caFiles, await makeCa(now));
  const keptServer = await read(serverFiles);
  if (!keptServer || !isGoodServer(keptServer, ca, now)) await write(serverFiles, await makeServer(ca, now));
  return { caCertificate: caFiles.certificate, ...serverFiles };
}

function isGoodCa({ certificate }: Identity, now: Date): boolean {
  return (
    certificate.ca &&
    certificate.subject === CA_NAME &&
    hasExtension(certificate, loopbackOnly) &&
    isIssuedBy(certificate, certificate) &&
    // Every server certificate must end before it.
    isValid(certificate, now, SERVER_DAYS + 1)
  );
}

function isGoodServer({ certificate }: Identity, ca: Identity, now: Date): boolean {
  return (
    hasExtension(certificate, serverNames) &&
    isIssuedBy(certificate, ca.certificate) &&
    isValid(certificate, now, SERVER_RENEWAL_DAYS)
  );
}

function hasExtension(certificate: X509Certificate, wanted: x509.Extension): boolean {
  return new x509.X509Certificate(certificate.raw).extensions.some((extension) => extension.equal(wanted));
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isValid({ validFrom, validTo }: X509Certificate, now: Date, days: number): boolean {
  return Date.parse(validFrom) <= now.getTime() && Date.parse(validTo) >= now.getTime() + days * DAY;
}

async function makeCa(now: Date): Promise<Identity> {
  const keys = await makeKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: makeSerialNumber(),
    name: CA_NAME,
    ...validity(now, CA_DAYS),
    keys,
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      loopbackOnly,
    ],
  });
  return { certificate: new X509Certificate(certificate.toString('pem')), key: KeyObject.from(keys.privateKey) };
}

async function makeServer(ca: Identity, now: Date): Promise<Identity> {
  const keys = await makeKeys();
  const issuer = new x509.X509Certificate(ca.certificate.raw);
  const pkcs8 = ca.key.export({ type: 'pkcs8', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: makeSerialNumber(),
    subject: SERVER_NAME,
    issuer: issuer.subject,
    ...validity(now, SERVER_DAYS),
    publicKey: keys.publicKey,
    signingKey: await crypto.subtle.importKey('pkcs8', pkcs8, KEY_TYPE, false, ['sign']),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      serverNames,
    ],
  });
  return { certificate: new X509Certificate(certificate.toString('pem')), key: KeyObject.from(keys.privateKey) };
}

function makeKeys() {
  return crypto.subtle.generateKey(KEY_TYPE, true, ['sign', 'verify']);
}

/** Positive, as RFC 5280, 4.1.2.2 wants it. */
function makeSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}

function validity(now: Date, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(now.getTime() - BACKDATED), notAfter: new Date(now.getTime() + days * DAY) };
}

function nameConstraints(permitted: readonly Buffer[]): x509.Extension {
  const sequence = 0x30;
  const subtrees = permitted.map((name) => der(sequence, name));
  return new x509.Extension('2.5.29.30', true, der(sequence, der(0xa0, ...subtrees)));
}

/** One element of DER, of at most 127 bytes. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
}

/** Undefined where one of the files is missing or torn, or the two do not belong together. */
async function read(files: Files): Promise<Identity | undefined> {
  const [certificatePem = '', keyPem = ''] = [await readPrivate(files.certificate), await readPrivate(files.key)];
  try {
    const certificate = new X509Certificate(certificatePem);
    const key = createPrivateKey(keyPem);
    return certificate.checkPrivateKey(key) ? { certificate, key } : undefined;
  } catch {
    return undefined;
  }
}

async function write(files: Files, identity: Identity): Promise<Identity> {
  await writePrivate(files.key, identity.key.export({ type: 'pkcs8', format: 'pem' }).toString());
  await writePrivate(files.certificate, identity.certificate.toString());
  return identity;
}
