import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { prepareCertificates } from '../../infra/local/certificates.ts';
import { temporaryDirectory } from './stack.ts';

/** An authority like Microsoft Entra's, whose tokens a test makes as right or as wrong as it wants. */
export interface TestAuthority extends AsyncDisposable {
  readonly url: string;
  readonly tenantId: string;
  readonly issuer: string;
  readonly kid: string;
  readonly publicKey: JWK;
  /** How often its keys were asked for. */
  keysAsked(): number;
  /** While it is down, nothing is answered. */
  down: boolean;
  /** Signs claims with its key, or with one of somebody else's. */
  sign(claims: JWTPayload, header?: Partial<JWTHeaderParameters>, key?: CryptoKey): Promise<string>;
}

const TENANT = '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11';

/** Starts it over HTTPS, with a certificate that this process trusts from then on. */
export async function startAuthority(): Promise<TestAuthority> {
  const directory = await temporaryDirectory();
  const { caCertificate, certificate, key } = await prepareCertificates(directory.path, new Date());
  setDefaultCACertificates([...getCACertificates('default'), await readFile(caCertificate, 'utf8')]);
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  const kid = 'test-key';
  const jwk = { ...(await exportJWK(publicKey)), kid, use: 'sig' };
  let asked = 0;
  const state = { down: false };
  const server = createServer({ cert: await readFile(certificate), key: await readFile(key) }, (request, response) => {
    if (state.down) {
      request.socket.destroy();
      return;
    }
    if (request.url?.endsWith('/keys')) asked += 1;
    const body = request.url?.endsWith('/keys') ? { keys: [jwk] } : { issuer, jwks_uri: `${url}/${TENANT}/keys` };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const issuer = `${url}/${TENANT}/v2.0`;
  return {
    url,
    tenantId: TENANT,
    issuer,
    kid,
    publicKey: jwk,
    keysAsked: () => asked,
    get down() {
      return state.down;
    },
    set down(value) {
      state.down = value;
    },
    sign: (claims, header = {}, signingKey = privateKey) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT', ...header }).sign(signingKey),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await directory.remove();
    },
  };
}
