import { readFile } from 'node:fs/promises';
import type { AccessKeys } from './access-keys.ts';
import { answerApi } from './api.ts';
import { ClientEndpoint } from './client-endpoint.ts';
import { ClientTokens } from './client-tokens.ts';
import type { RoleAssignments } from './data-actions.ts';
import { entraTokens } from './entra-tokens.ts';
import { type EventHandlerSettings, EventHandlers } from './event-handlers.ts';
import { Hubs } from './hubs.ts';
import { listen } from './listener.ts';
import { type OwnIdentity, ownTokens } from './own-identity.ts';

export interface WebPubSubOptions {
  /** 0 stands for any free one. */
  readonly port: number;
  /** Absolute paths of PEM files. */
  readonly certificate: string;
  readonly key: string;
  /** Who signs the tokens that REST calls carry: its base URL, without a slash at its end. */
  readonly authority: string;
  readonly tenantId: string;
  /** Read at every call and every handshake: what it says may change. */
  readonly roles: RoleAssignments;
  /** None: local authentication is off. */
  readonly accessKeys?: AccessKeys;
  readonly eventHandlers?: readonly EventHandlerSettings[];
  /** Its own, for event handlers that want a token of it. */
  readonly identity?: OwnIdentity | undefined;
  readonly now: () => Date;
  readonly recoveryMilliseconds?: number;
  readonly retryDelays?: readonly number[];
}

export interface WebPubSub {
  /** What an SDK takes as the service's endpoint. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** The service promises 30 s at least; its clients try for so long. */
const RECOVERY_MILLISECONDS = 40_000;
const RETRY_DELAYS = [1000, 3000, 5000];

/** A stand-in for one Azure Web PubSub resource, on the loopback interface. It keeps nothing on disk. */
export async function startWebPubSub(options: WebPubSubOptions): Promise<WebPubSub> {
  const { roles, now, accessKeys = [], recoveryMilliseconds = RECOVERY_MILLISECONDS } = options;
  const [cert, key] = await Promise.all([readFile(options.certificate), readFile(options.key)]);
  const verifyEntraToken = entraTokens({ authority: options.authority, tenantId: options.tenantId, now });
  const hubs = new Hubs();
  const { eventHandlers = [], retryDelays = RETRY_DELAYS } = options;
  const ownToken = ownTokens(options.identity, now);
  const handlers = new EventHandlers({ handlers: eventHandlers, accessKeys, ownToken, now, retryDelays });
  const endpoints: ClientEndpoint[] = [];
  const listener = await listen({ port: options.port, cert, key }, (port) => {
    const tokens = new ClientTokens({ port, accessKeys, now });
    const clients = new ClientEndpoint({ hubs, tokens, handlers, roles, now, recoveryMilliseconds });
    endpoints.push(clients);
    const api = { port, hubs, tokens, verifyEntraToken, accessKeys, roles, now };
    return {
      answer: (message, response) => answerApi(message, response, api),
      upgrade: (upgrade) => clients.upgrade(upgrade),
    };
  });
  return {
    endpoint: `https://localhost:${listener.port}`,
    async close() {
      await Promise.all(endpoints.map((each) => each.close()));
      handlers.close();
      hubs.endAll();
      await listener.close();
    },
  };
}
