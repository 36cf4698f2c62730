import { AzureKeyCredential, WebPubSubServiceClient } from '@azure/web-pubsub';
import type { Config } from '#lib/config';
import {
  createApplicationCredential,
  createManagedIdentity,
  type TokenCredential,
  untilAborted,
  withoutSecrets,
} from '#lib/identity';
import { parseConnectionString, type WebPubSubAccess } from './connection-string.ts';
import { PubSubError } from './pubsub-error.ts';
import { pubSubErrorOf } from './service-errors.ts';

/** The settings that say where Web PubSub is. */
export type PubSubSettings = Pick<
  Config,
  | 'WEB_PUBSUB_CONNECTION_STRING'
  | 'WEB_PUBSUB_ENDPOINT'
  | 'WEB_PUBSUB_HUB'
  | 'CLIENT_TOKEN_MAX_MINUTES'
  | 'AZURE_AUTHORITY_HOST'
>;

/** One hub of Web PubSub. */
export interface Service {
  readonly client: WebPubSubServiceClient;
  /** An origin. */
  readonly endpoint: string;
  readonly hub: string;
  /** Whether the service asks what an identity may; the holder of its key may everything. */
  readonly hasPermissions: boolean;
  /** Where it is opened with its key. */
  readonly accessKey: string | undefined;
}

/** How long an identity may take for a token, however many wait for it. */
const IDENTITY_MILLISECONDS = 10_000;

/**
 * The hub that the settings name, with the one client of it: the client keeps the identity's token. Undefined where they name none.
 * @param credential the app's own identity, for an endpoint without a connection string
 * @throws PubSubError `connection_string`
 */
export function openService(settings: PubSubSettings, credential: TokenCredential): Service | undefined {
  const {
    WEB_PUBSUB_ENDPOINT: plain,
    WEB_PUBSUB_CONNECTION_STRING: connectionString,
    WEB_PUBSUB_HUB: hub,
    AZURE_AUTHORITY_HOST: authorityHost,
  } = settings;
  if (plain !== undefined) return serviceAt(plain, withReasons(credential), hub);
  if (connectionString === undefined) return undefined;
  const access = parseConnectionString(connectionString);
  return serviceAt(access.endpoint, credentialOf(access, authorityHost), hub);
}

/**
 * Asks the service once: whoever asks knows best whether to ask again.
 * @param what the request in a few words, for the error
 * @throws PubSubError; `timeout` also where the caller's signal ends it
 */
export async function ask<T>(
  what: string,
  timeoutMilliseconds: number,
  send: (signal: AbortSignal) => Promise<T>,
  callers?: AbortSignal,
): Promise<T> {
  const timeout = AbortSignal.timeout(timeoutMilliseconds);
  const signal = callers === undefined ? timeout : AbortSignal.any([callers, timeout]);
  try {
    // An identity does not heed a signal while it waits between its own tries.
    return await untilAborted(send(signal), signal);
  } catch (error) {
    if (!signal.aborted) throw pubSubErrorOf(error, what);
    const cause = withoutSecrets(signal.reason);
    throw new PubSubError('timeout', `Web PubSub did not answer in time: ${what}.`, { cause });
  }
}

function serviceAt(endpoint: string, credential: TokenCredential | AzureKeyCredential, hub: string): Service {
  const client = new WebPubSubServiceClient(endpoint, credential, hub, {
    retryOptions: { maxRetries: 0 },
    // The token is for this service and nobody that it may point to.
    redirectOptions: { maxRetries: 0 },
    // The one http endpoint that a connection string may have is loopback's, with a key.
    allowInsecureConnection: endpoint.startsWith('http:'),
  });
  const accessKey = credential instanceof AzureKeyCredential ? credential.key : undefined;
  return { client, endpoint, hub, hasPermissions: accessKey === undefined, accessKey };
}

function credentialOf(access: WebPubSubAccess, authorityHost: string): TokenCredential | AzureKeyCredential {
  switch (access.kind) {
    case 'access-key':
      return new AzureKeyCredential(access.accessKey);
    case 'application':
      return withReasons(createApplicationCredential(access, authorityHost));
    case 'user-assigned':
      return withReasons(createManagedIdentity(access.clientId));
    case 'system-assigned':
      return withReasons(createManagedIdentity());
  }
}

/** The same credential, whose failures are told apart from those of the service. */
function withReasons(credential: TokenCredential): TokenCredential {
  return {
    getToken: async (scopes, options) => {
      // Not the signal of the request: others wait for the same token.
      const abortSignal = AbortSignal.timeout(IDENTITY_MILLISECONDS);
      try {
        const token = await untilAborted(credential.getToken(scopes, { ...options, abortSignal }), abortSignal);
        if (token !== null && token.token !== '') return token;
      } catch (error) {
        const cause = withoutSecrets(error);
        throw new PubSubError('identity_unavailable', "The app's identity could not get a token for Web PubSub.", {
          cause,
        });
      }
      throw new PubSubError('identity_unavailable', "The app's identity gave no token for Web PubSub.");
    },
  };
}
