import { randomUUID } from 'node:crypto';
import type { TokenCredential } from '@azure/identity';
import { WebPubSubServiceClient } from '@azure/web-pubsub';
import { WebPubSubClient, type WebPubSubClientOptions } from '@azure/web-pubsub-client';
import type { JWTPayload } from 'jose';
import WebSocket from 'ws';
import { prepareCertificates } from '../../../infra/local/certificates.ts';
import { trustCertificate } from '../../../infra/local/trusted-certificates.ts';
import { startWebPubSub, type WebPubSubOptions } from '../../../infra/local/web-pubsub/service.ts';
import { startAuthority, type TestAuthority } from '../../support/authority.ts';
import { temporaryDirectory } from '../../support/stack.ts';

export const HUB = 'rendering';
export const OWNER = 'b4c9d3c2-6e15-4d2a-9a7b-1f0e8d7c6b52';
export const PROVIDER = 'Microsoft.SignalRService/WebPubSub';
export const RELIABLE = 'json.reliable.webpubsub.azure.v1';
export const JSON_PROTOCOL = 'json.webpubsub.azure.v1';

/** The stand-in in this process, with an authority whose tokens are as right or as wrong as a test wants. */
export interface TestService extends AsyncDisposable {
  readonly endpoint: string;
  readonly authority: TestAuthority;
  /** Who may do what; a test may change it. */
  readonly roles: Record<string, string[]>;
  /** The real server SDK for a principal. */
  serviceOf(principal?: string): WebPubSubServiceClient;
  /** An access token of the authority for Web PubSub. */
  tokenOf(principal?: string, claims?: JWTPayload): Promise<string>;
  /** A REST call below `/api/hubs/{hub}`, of the owner unless it is said. */
  call(method: string, path: string, init?: RequestInit): Promise<Response>;
}

/** What a test may set: the rest is given. */
export type TestServiceOptions = Partial<
  Pick<WebPubSubOptions, 'accessKeys' | 'eventHandlers' | 'identity' | 'now' | 'recoveryMilliseconds' | 'retryDelays'>
>;

export async function startService(options: TestServiceOptions = {}): Promise<TestService> {
  const authority = await startAuthority();
  const directory = await temporaryDirectory();
  const { caCertificate, certificate, key } = await prepareCertificates(directory.path, new Date());
  await trustCertificate(caCertificate);
  const roles: Record<string, string[]> = { [OWNER]: ['Web PubSub Service Owner'] };
  const { url, tenantId } = authority;
  const now = () => new Date();
  const service = await startWebPubSub({ port: 0, certificate, key, authority: url, tenantId, roles, now, ...options });

  const tokenOf = (principal = OWNER, claims: JWTPayload = {}) => {
    const seconds = Math.floor(Date.now() / 1000);
    const { issuer: iss, tenantId: tid } = authority;
    const times = { iat: seconds, nbf: seconds, exp: seconds + 3600 };
    return authority.sign({ aud: 'https://webpubsub.azure.com', iss, oid: principal, tid, ...times, ...claims });
  };
  const credentialOf = (principal: string | undefined): TokenCredential => ({
    getToken: async () => ({ token: await tokenOf(principal), expiresOnTimestamp: Date.now() + 3_600_000 }),
  });
  return {
    endpoint: service.endpoint,
    authority,
    roles,
    tokenOf,
    serviceOf: (principal) =>
      new WebPubSubServiceClient(service.endpoint, credentialOf(principal), HUB, { retryOptions: { maxRetries: 0 } }),
    async call(method, path, init = {}) {
      const version = path.includes('api-version') ? '' : `${path.includes('?') ? '&' : '?'}api-version=2024-12-01`;
      const headers = { authorization: `Bearer ${await tokenOf()}`, ...init.headers };
      return await fetch(`${service.endpoint}/api/hubs/${HUB}${path}${version}`, { method, ...init, headers });
    },
    async [Symbol.asyncDispose]() {
      await service.close();
      await authority[Symbol.asyncDispose]();
      await directory.remove();
    },
  };
}

export interface Watcher extends AsyncDisposable {
  readonly client: WebPubSubClient;
  readonly connectionId: string;
  /** Payloads of messages of groups, with the group's name, and of the server, in the order of arrival. */
  readonly received: unknown[];
}

/** The real client SDK, connected. */
export async function watch(getUrl: () => Promise<string>, options: WebPubSubClientOptions = {}): Promise<Watcher> {
  const client = new WebPubSubClient(
    { getClientAccessUrl: getUrl },
    { messageRetryOptions: { maxRetries: 0 }, ...options },
  );
  const received: unknown[] = [];
  client.on('group-message', ({ message }) => received.push([message.group, message.data]));
  client.on('server-message', ({ message }) => received.push(message.data));
  const connected = new Promise<string>((resolve) =>
    client.on('connected', ({ connectionId }) => resolve(connectionId)),
  );
  await client.start();
  return {
    client,
    connectionId: await connected,
    received,
    async [Symbol.asyncDispose]() {
      client.stop();
    },
  };
}

/** A bare WebSocket, which shows every frame as it is. */
export interface RawClient {
  readonly socket: WebSocket;
  readonly frames: unknown[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  send(frame: unknown): void;
}

/** Connects; rejected with the status where the service refuses. */
export async function connectRaw(
  url: string,
  protocol?: string,
  options: WebSocket.ClientOptions = {},
): Promise<RawClient> {
  const socket = new WebSocket(url, protocol === undefined ? [] : [protocol], options);
  const frames: unknown[] = [];
  socket.on('message', (data, isBinary) => {
    frames.push(isBinary || protocol === undefined ? data : JSON.parse(String(data)));
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.on('error', reject);
  });
  return { socket, frames, closed, send: (frame) => socket.send(JSON.stringify(frame)) };
}

export function anyone(): string {
  return randomUUID();
}
