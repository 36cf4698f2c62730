import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateKeyPair, SignJWT } from 'jose';
import type { StorageAccess, TokenCredential } from '#lib/identity';
import { prepareCertificates } from '../../infra/local/certificates.ts';
import { type RunningChild, startChild } from '../../infra/local/child-process.ts';
import { connectionString, type StorageEndpoints } from '../../infra/local/storage-account.ts';
import { trustCertificate } from '../../infra/local/trusted-certificates.ts';

export interface TestStorage extends AsyncDisposable {
  readonly child: RunningChild;
  readonly endpoints: StorageEndpoints;
  readonly connectionString: string;
  /** Ends Azurite; removes its data if it had a directory of its own. */
  stop(): Promise<void>;
}

const SOMEBODY = '00000000-0000-4000-8000-000000000001';
const SOMEWHERE = '00000000-0000-4000-8000-000000000002';
const anyPorts = { blob: 0, queue: 0, table: 0 };

/** Starts our Azurite on free ports, in `directory` or in a temporary one of its own. Nothing is created in the account. */
export async function startStorage(directory?: string, ports = anyPorts): Promise<TestStorage> {
  const own = directory === undefined ? await temporaryDirectory() : undefined;
  return await startAzurite({ directory: directory ?? own?.path, ports }, async () => own?.remove());
}

/** Storage as `npm start` has it: over HTTPS, with a certificate that this process trusts from here on, and open to tokens. */
export interface SecureTestStorage extends TestStorage {
  /** PEM file that other processes must trust. */
  readonly caCertificate: string;
  /** Opens the account by identity. */
  readonly access: Extract<StorageAccess, { readonly kind: 'identity' }>;
}

/** Starts our Azurite over HTTPS, its storage in `directory` or in a temporary one of its own. */
export async function startSecureStorage(directory?: string): Promise<SecureTestStorage> {
  const own = await temporaryDirectory();
  const { caCertificate, ...tls } = await prepareCertificates(own.path, new Date());
  await trustCertificate(caCertificate);
  const options = { directory: directory ?? join(own.path, 'storage'), ports: anyPorts, tls };
  // To copy a blob from a URL with a SAS, Azurite asks itself over HTTPS.
  const storage = await startAzurite(options, () => own.remove(), { NODE_EXTRA_CA_CERTS: caCertificate });
  const { blob: blobServiceUri, table: tableServiceUri } = storage.endpoints;
  const credential = await storageCredential();
  return { ...storage, caCertificate, access: { kind: 'identity', blobServiceUri, tableServiceUri, credential } };
}

/** Tokens for Azure Storage of a tenant that nobody knows: Azurite looks at their times, their audience and the start of their issuer. */
export async function storageCredential({
  issuer = 'https://sts.windows.net/',
  audience = 'https://storage.azure.com',
} = {}): Promise<TokenCredential> {
  const { privateKey } = await generateKeyPair('ES256');
  return {
    async getToken() {
      const expiresOnTimestamp = Date.now() + 3_600_000;
      // A user-delegation key is made from the claims oid and tid.
      const token = await new SignJWT({ oid: SOMEBODY, tid: SOMEWHERE })
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT' })
        .setIssuer(`${issuer}${SOMEWHERE}/`)
        .setAudience(audience)
        .setIssuedAt()
        .setNotBefore('-1 minute')
        .setExpirationTime(new Date(expiresOnTimestamp))
        .sign(privateKey);
      return { token, expiresOnTimestamp };
    },
  };
}

async function startAzurite(
  options: unknown,
  cleanUp: () => Promise<void>,
  environment: Readonly<Record<string, string>> = {},
): Promise<TestStorage> {
  const child = await startChild({
    name: 'Azurite',
    program: fileURLToPath(new URL('../../infra/local/azurite.ts', import.meta.url)),
    options,
    environment: { ...process.env, ...environment },
    startMilliseconds: 20_000,
  });
  const { blob = '', queue = '', table = '' } = child.endpoints;
  const endpoints = { blob, queue, table };
  const stop = async () => {
    await child.stop(5000);
    await cleanUp();
  };
  return { child, endpoints, connectionString: connectionString(endpoints), stop, [Symbol.asyncDispose]: stop };
}

export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'rendering-'));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
