import 'reflect-metadata';
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type Certificates, prepareCertificates } from '../../../infra/local/certificates.ts';
import { type TemporaryDirectory, temporaryDirectory } from '../../support/stack.ts';

const DAY = 86_400_000;
const now = new Date('2031-05-06T07:08:09.000Z');
const daysOn = (days: number) => new Date(now.getTime() + days * DAY);
const FILES = ['ca.pem', 'ca-key.pem', 'server.pem', 'server-key.pem'] as const;
const LOOPBACK = ['DNS:localhost', 'DNS:*.localhost', 'DNS:sts.localhost', 'IP Address:127.0.0.1'];

const directories: TemporaryDirectory[] = [];
let directory: string;
beforeEach(async () => {
  directory = await anotherDirectory();
});
afterAll(async () => {
  await Promise.all(directories.map((each) => each.remove()));
});

async function anotherDirectory(): Promise<string> {
  const made = await temporaryDirectory();
  directories.push(made);
  return made.path;
}

const pathOf = (file: string) => join(directory, 'certificates', file);
const contents = async () => Object.fromEntries(await Promise.all(FILES.map(async (file) => [file, await text(file)])));
const text = (file: string) => readFile(pathOf(file), 'utf8');

async function read({ caCertificate, certificate, key }: Certificates) {
  return {
    ca: new X509Certificate(await readFile(caCertificate)),
    server: new X509Certificate(await readFile(certificate)),
    serverKey: createPrivateKey(await readFile(key)),
  };
}

/** A server certificate that the development CA in `directory` signs, for names of our choice. */
async function issue(names: x509.JsonGeneralNames, at: Date): Promise<{ cert: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const caKey = createPrivateKey(await text('ca-key.pem')).export({ type: 'pkcs8', format: 'der' });
  const ca = new x509.X509Certificate(await text('ca.pem'));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: `40${randomBytes(8).toString('hex')}`,
    subject: 'CN=server',
    issuer: ca.subject,
    notBefore: at,
    notAfter: new Date(at.getTime() + 365 * DAY),
    publicKey: keys.publicKey,
    signingKey: await crypto.subtle.importKey('pkcs8', caKey, algorithm, false, ['sign']),
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    extensions: [
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
    ],
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
  };
}

/** Whether a client that trusts the CA takes the server for `servername`; else the reason against it. */
async function handshake(options: { cert: string; key: string; ca: string; servername: string }): Promise<string> {
  const { cert, key, ca, servername } = options;
  const server = createServer({ cert, key }, (socket) => socket.on('error', () => undefined).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  // A name of an address is no server name of TLS; the client checks it against the certificate all the same.
  const isAddress = servername === '127.0.0.1';
  const client = connect({ host: '127.0.0.1', port, ca, ...(!isAddress && { servername }) });
  try {
    await once(client, 'secureConnect');
    return 'trusted';
  } catch (error) {
    return String(error);
  } finally {
    client.destroy();
    server.close();
  }
}

describe('a new directory', () => {
  test('gets a CA, and a server certificate of at most 397 days that it issued for every loopback name', async () => {
    const { ca, server, serverKey } = await read(await prepareCertificates(directory, now));
    expect(ca.ca).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.checkIssued(ca)).toBe(true);
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkPrivateKey(serverKey)).toBe(true);
    expect(serverKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(server.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(server.subjectAltName?.split(', ')).toEqual([...LOOPBACK, 'IP Address:0:0:0:0:0:0:0:1']);
    expect(Date.parse(server.validTo) - Date.parse(server.validFrom)).toBeLessThanOrEqual(397 * DAY);
    expect(Date.parse(ca.validTo)).toBeGreaterThan(Date.parse(server.validTo));
  });

  test.each(['localhost', 'sts.localhost', '127.0.0.1'])(
    'has TLS clients that trust the CA talk to %s',
    async (name) => {
      // A handshake goes by the clock of this machine.
      await prepareCertificates(directory, new Date());
      const pair = { cert: await text('server.pem'), key: await text('server-key.pem') };
      expect(await handshake({ ...pair, ca: await text('ca.pem'), servername: name })).toBe('trusted');
    },
  );

  test('has nobody else trusted: not the server under another name, nor one of another CA', async () => {
    await prepareCertificates(directory, new Date());
    const pair = { cert: await text('server.pem'), key: await text('server-key.pem') };
    const ca = await text('ca.pem');
    expect(await handshake({ ...pair, ca, servername: 'example.com' })).toContain('does not match');
    const other = await prepareCertificates(await anotherDirectory(), new Date());
    const otherCa = await readFile(other.caCertificate, 'utf8');
    expect(await handshake({ ...pair, ca: otherCa, servername: 'localhost' })).toContain('unable to verify');
  });

  test('keeps all of it from others', async () => {
    await prepareCertificates(directory, now);
    expect((await stat(join(directory, 'certificates'))).mode & 0o777).toBe(0o700);
    expect((await readdir(join(directory, 'certificates'))).sort()).toEqual([...FILES].sort());
    for (const file of FILES) expect((await stat(pathOf(file))).mode & 0o777).toBe(0o600);
  });
});

test("The CA's key can vouch for loopback names and for nothing else", async () => {
  const today = new Date();
  await prepareCertificates(directory, today);
  const ca = await text('ca.pem');
  const own = await issue([{ type: 'dns', value: 'other.localhost' }], today);
  expect(await handshake({ ...own, ca, servername: 'other.localhost' })).toBe('trusted');
  const stolen = await issue([{ type: 'dns', value: 'example.com' }], today);
  expect(await handshake({ ...stolen, ca, servername: 'example.com' })).toContain('permitted subtree violation');
});

describe('a later start', () => {
  test.each([0, 1, 365])('keeps everything after %i days', async (days) => {
    await prepareCertificates(directory, now);
    const before = await contents();
    await prepareCertificates(directory, daysOn(days));
    expect(await contents()).toEqual(before);
  });

  test('renews the server certificate when fewer than 30 days are left, and keeps the CA', async () => {
    await prepareCertificates(directory, now);
    const before = await contents();
    const { server } = await read(await prepareCertificates(directory, daysOn(367)));
    expect(Date.parse(server.validTo)).toBe(daysOn(367 + 396).getTime());
    const renewed = await contents();
    expect(renewed['ca.pem']).toBe(before['ca.pem']);
    expect(renewed['ca-key.pem']).toBe(before['ca-key.pem']);
    expect(renewed['server-key.pem']).not.toBe(before['server-key.pem']);
  });

  test('renews a server certificate of other names', async () => {
    await prepareCertificates(directory, now);
    const { cert, key } = await issue([{ type: 'dns', value: 'localhost' }], now);
    await writeFile(pathOf('server.pem'), cert);
    await writeFile(pathOf('server-key.pem'), key);
    const { server } = await read(await prepareCertificates(directory, now));
    expect(server.subjectAltName).toContain('DNS:sts.localhost');
  });

  test('renews a server certificate whose CA has gone', async () => {
    await prepareCertificates(directory, now);
    await rm(pathOf('ca-key.pem'));
    const { ca, server } = await read(await prepareCertificates(directory, now));
    expect(server.verify(ca.publicKey)).toBe(true);
  });

  test('makes both anew when the clock stands before they begin', async () => {
    await prepareCertificates(directory, now);
    const before = await contents();
    await prepareCertificates(directory, daysOn(-400));
    const renewed = await contents();
    for (const file of FILES) expect(renewed[file]).not.toBe(before[file]);
  });

  test('tightens what others were given', async () => {
    await prepareCertificates(directory, now);
    await chmod(join(directory, 'certificates'), 0o755);
    await chmod(pathOf('ca-key.pem'), 0o644);
    await prepareCertificates(directory, now);
    expect((await stat(join(directory, 'certificates'))).mode & 0o777).toBe(0o700);
    expect((await stat(pathOf('ca-key.pem'))).mode & 0o777).toBe(0o600);
  });

  test.each(FILES)('makes good a %s that is torn', async (file) => {
    await prepareCertificates(directory, now);
    const whole = await text(file);
    await writeFile(pathOf(file), whole.slice(0, whole.length / 2));
    const { ca, server, serverKey } = await read(await prepareCertificates(directory, now));
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkPrivateKey(serverKey)).toBe(true);
    expect(ca.checkPrivateKey(createPrivateKey(await text('ca-key.pem')))).toBe(true);
  });

  test.each(FILES)('makes good a %s of another stack', async (file) => {
    await prepareCertificates(directory, now);
    const other = await anotherDirectory();
    await prepareCertificates(other, now);
    await copyFile(join(other, 'certificates', file), pathOf(file));
    const { ca, server, serverKey } = await read(await prepareCertificates(directory, now));
    expect(server.verify(ca.publicKey)).toBe(true);
    expect(server.checkPrivateKey(serverKey)).toBe(true);
    expect(ca.checkPrivateKey(createPrivateKey(await text('ca-key.pem')))).toBe(true);
  });

  test('leaves no draft of a write that was cut off', async () => {
    await prepareCertificates(directory, now);
    await rm(pathOf('server.pem'));
    await writeFile(`${pathOf('server.pem')}~`, 'half a cert', { mode: 0o644 });
    await prepareCertificates(directory, now);
    expect((await readdir(join(directory, 'certificates'))).sort()).toEqual([...FILES].sort());
    expect((await stat(pathOf('server.pem'))).mode & 0o777).toBe(0o600);
  });

  test('finds both certificates good for 30 days more, wherever the clock has jumped', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -8000, max: 8000 }), { minLength: 1, maxLength: 4 }),
        async (jumps) => {
          directory = await anotherDirectory();
          for (const days of jumps) {
            const { ca, server } = await read(await prepareCertificates(directory, daysOn(days)));
            expect(server.verify(ca.publicKey)).toBe(true);
            for (const { validFrom, validTo } of [ca, server]) {
              expect(Date.parse(validFrom)).toBeLessThanOrEqual(daysOn(days).getTime());
              expect(Date.parse(validTo)).toBeGreaterThanOrEqual(daysOn(days + 30).getTime());
            }
            expect(Date.parse(ca.validTo)).toBeGreaterThan(Date.parse(server.validTo));
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});
