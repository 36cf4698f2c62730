import { fileURLToPath } from 'node:url';
import { generateKeyPair, SignJWT } from 'jose';
import type { StorageAccess, TokenCredential } from '#lib/identity';
import { prepareCertificates } from '../../infra/local/certificates.ts';
import { startChild } from '../../infra/local/child-process.ts';
import { connectionString } from '../../infra/local/storage-account.ts';
import { trustCertificate } from '../../infra/local/trusted-certificates.ts';
import { type TestStorage, temporaryDirectory } from './stack.ts';

export interface SecureStorage extends TestStorage {
  /** Opens the account by identity. */
  readonly access: Extract<StorageAccess, { kind: 'identity' }>;
}

const anyPorts = { blob: 0, queue: 0, table: 0 };
const TENANT = '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11';

/** Starts our Azurite over HTTPS, with a certificate that this process trusts from then on, so that it takes tokens. */
export async function startSecureStorage(): Promise<SecureStorage> {
  const directory = await temporaryDirectory();
  const { caCertificate, certificate, key } = await prepareCertificates(directory.path, new Date());
  await trustCertificate(caCertificate);
  const child = await startChild({
    name: 'Azurite',
    program: fileURLToPath(new URL('../../infra/local/azurite.ts', import.meta.url)),
    options: { directory: directory.path, ports: anyPorts, tls: { certificate, key } },
    // To copy a blob with a SAS, Azurite asks itself over HTTPS.
    environment: { ...process.env, NODE_EXTRA_CA_CERTS: caCertificate },
    startMilliseconds: 20_000,
  });
  const { blob = '', queue = '', table = '' } = child.endpoints;
  const endpoints = { blob, queue, table };
  const stop = async () => {
    await child.stop(5000);
    await directory.remove();
  };
  return {
    child,
    endpoints,
    connectionString: connectionString(endpoints),
    access: { kind: 'identity', blobServiceUri: blob, tableServiceUri: table, credential: storageCredential() },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Gives tokens as Microsoft Entra does for storage; Azurite checks their claims, and who signed them it does not. */
export function storageCredential(audience = 'https://storage.azure.com'): TokenCredential {
  return {
    async getToken(scopes) {
      if (String(scopes) !== 'https://storage.azure.com/.default')
        throw new Error(`There is no ${String(scopes)} here.`);
      const { privateKey } = await generateKeyPair('RS256');
      const token = await new SignJWT({ oid: '0f6a6c1e-7f0e-4d6a-8a52-3f8d3f2b9c01', tid: TENANT })
        .setProtectedHeader({ alg: 'RS256' })
        .setIssuer(`https://sts.windows.net/${TENANT}/`)
        .setAudience(audience)
        .setIssuedAt()
        .setNotBefore('0s')
        .setExpirationTime('1h')
        .sign(privateKey);
      return { token, expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };
}
