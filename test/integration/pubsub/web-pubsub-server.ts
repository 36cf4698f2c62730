import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { parseConfig } from '#lib/config';
import { createPubSub, type PubSub } from '#lib/pubsub';
import { prepareCertificates } from '../../../infra/local/certificates.ts';
import { trustCertificate } from '../../../infra/local/trusted-certificates.ts';
import { temporaryDirectory } from '../../support/stack.ts';

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly authorization: string;
  readonly body: string;
}

/** Answers a request, or leaves it without an answer. */
export type Answer = (asked: Asked, response: ServerResponse) => void;

/** A Web PubSub on loopback that answers as a test tells it, and keeps what it was asked. */
export interface WebPubSubServer extends AsyncDisposable {
  readonly url: string;
  readonly asked: readonly Asked[];
  /** The requests whose path ends so. */
  askedFor(ending: string): readonly Asked[];
  answer(answer: Answer): void;
}

/** Over HTTPS, with a certificate that this process trusts from here on. */
export async function startWebPubSubServer(): Promise<WebPubSubServer> {
  const directory = await temporaryDirectory();
  const { caCertificate, certificate, key } = await prepareCertificates(directory.path, new Date());
  await trustCertificate(caCertificate);
  const tls = { cert: await readFile(certificate), key: await readFile(key) };
  const asked: Asked[] = [];
  let answer: Answer = answerAsTheService;
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '', `https://${request.headers.host}`);
    const { method = '', headers } = request;
    const one = { method, url, authorization: headers.authorization ?? '', body: await text(request) };
    asked.push(one);
    answer(one, response);
  };
  const server = createServer(tls, (request, response) => void respond(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `https://localhost:${port}`,
    asked,
    askedFor: (ending) => asked.filter(({ url }) => url.pathname.endsWith(ending)),
    answer: (given) => {
      answer = given;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await directory.remove();
    },
  };
}

/** What the service answers where all is well: a token that says what it was asked for, and nothing to the rest. */
export const answerAsTheService: Answer = (asked, response) => {
  if (asked.url.pathname.endsWith('/:generateToken')) answerToken(claimsFor(asked))(asked, response);
  else answerWith(asked.url.pathname.endsWith('/:send') ? 202 : 204)(asked, response);
};

export const answerWith =
  (status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_asked, response) =>
    body === undefined
      ? response.writeHead(status, headers).end()
      : response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));

/** The service refuses for want of a data action, in its own words; all else is well. */
export const answerLacking =
  (dataAction: string, ending: string): Answer =>
  (asked, response) => {
    if (!asked.url.pathname.endsWith(ending)) return answerAsTheService(asked, response);
    const message = `${dataAction} permission is required to access this API. Please check your role assignments.`;
    return answerWith(403, { code: 'Error.Forbidden', message })(asked, response);
  };

export const answerToken =
  (claims: unknown): Answer =>
  (asked, response) =>
    asked.url.pathname.endsWith('/:generateToken')
      ? answerWith(200, { token: tokenWith(claims) })(asked, response)
      : answerAsTheService(asked, response);

/** The claims of the token that a request asks for. */
export function claimsFor({ url }: Asked): Record<string, unknown> {
  const seconds = Math.floor(Date.now() / 1000);
  const [, hub = ''] = /\/hubs\/([^/]+)\//.exec(url.pathname) ?? [];
  return {
    aud: `https://${url.host}/client/hubs/${hub}`,
    iss: 'https://webpubsub.azure.com',
    iat: seconds,
    nbf: seconds,
    exp: seconds + 60 * Number(url.searchParams.get('minutesToExpire')),
    sub: url.searchParams.get('userId'),
    ...claimOf('role', url.searchParams.getAll('role')),
    ...claimOf('webpubsub.group', url.searchParams.getAll('group')),
  };
}

/** One value is a string, several are an array, as the service's own library writes them. */
function claimOf(name: string, values: readonly string[]): Record<string, unknown> {
  return values.length === 0 ? {} : { [name]: values.length === 1 ? values[0] : values };
}

/** A token as the service signs it, but for its signature. */
export function tokenWith(claims: unknown): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'HS256', kid: 's-1', typ: 'JWT' })}.${encode(claims)}.c2lnbmF0dXJl`;
}

/** Settings that name a Web PubSub, beside what an app must be told. */
export function configWith(given: Readonly<Record<string, string>>) {
  return parseConfig({
    ENTRA_TENANT_IDS: '7a1f2f64-0c5e-4a53-9a0b-2f6f2f0d9a11',
    ENTRA_AUDIENCES: 'api://remote-rendering-functions',
    STS_ACCOUNT_ID: 'd0f3c0de-5e1a-4b5c-8a57-0c4f4f2f7f10',
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    ...given,
  });
}

export const IDENTITY_TOKEN = 'the-token.of-the.identity';

/** The app's identity, which counts how often it is asked. */
export class FakeIdentity {
  readonly scopes: string[] = [];

  async getToken(scopes: string | string[]) {
    this.scopes.push(...[scopes].flat());
    return { token: IDENTITY_TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 };
  }
}

/** A Web PubSub at an endpoint that is opened with the app's identity. */
export function pubSubAt(endpoint: string, identity = new FakeIdentity(), now = () => new Date()): PubSub {
  const pubsub = createPubSub(configWith({ WEB_PUBSUB_ENDPOINT: endpoint }), identity, now);
  if (pubsub === undefined) throw new Error('The settings name no Web PubSub.');
  return pubsub;
}
