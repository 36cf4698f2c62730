import { z } from 'zod';
import { PubSubError } from './pubsub-error.ts';

/** Where Web PubSub is and who asks it. `endpoint` is an origin: scheme, host and port. */
export type WebPubSubAccess = { readonly endpoint: string } & WebPubSubIdentity;

export type WebPubSubIdentity =
  | { readonly kind: 'system-assigned' }
  | { readonly kind: 'user-assigned'; readonly clientId: string }
  | {
      readonly kind: 'application';
      readonly clientId: string;
      readonly tenantId: string;
      readonly clientSecret: string;
    }
  | { readonly kind: 'access-key'; readonly accessKey: string };

const KEYS = ['Endpoint', 'AuthType', 'AccessKey', 'ClientId', 'TenantId', 'ClientSecret', 'Port', 'Version'] as const;
type Key = (typeof KEYS)[number];
type Values = Readonly<Partial<Record<Key, string>>>;

const MAX_LENGTH = 4096;
const loopback = /^(?:localhost|.+\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;
const guid = z.guid();
/** A tenant goes by its id or by one of its domains. */
const tenant = z.union([guid, z.hostname()]);

/**
 * Reads a connection string of Web PubSub, strictly:
 * `Endpoint=…;AuthType=aad;Version=1.0;` is the system-assigned managed identity, with `ClientId` a user-assigned one, with `ClientId`,
 * `TenantId` and `ClientSecret` an application; `Endpoint=…;AccessKey=…` is the service's own key. Keys in any case, blanks around keys
 * and values do not count, `Port` goes before the endpoint's own. No part of the string is ever in an error, not even an unknown key:
 * behind a `;` in a secret, it is the rest of that secret.
 * @throws PubSubError `connection_string` naming the first mistake
 */
export function parseConnectionString(text: string): WebPubSubAccess {
  if (text.length > MAX_LENGTH) throw mistake(`has ${text.length} characters; ${MAX_LENGTH} are allowed`);
  if (/\p{Cc}/u.test(text)) throw mistake('has a line break, or another control character');
  const values = valuesIn(text);
  const { Endpoint, Port, Version } = values;
  if (Endpoint === undefined) throw mistake('has no Endpoint');
  if (Version !== undefined && Version !== '1.0') throw mistake('has a Version other than 1.0');
  const identity = identityOf(values);
  return { endpoint: endpointOf(Endpoint, Port, identity), ...identity };
}

function valuesIn(text: string): Values {
  const values: Partial<Record<Key, string>> = {};
  for (const [index, part] of text.split(';').entries()) {
    if (part.trim() === '') continue;
    const split = part.indexOf('=');
    const name = part.slice(0, split).trim().toLowerCase();
    const key = split < 0 ? undefined : KEYS.find((known) => known.toLowerCase() === name);
    if (key === undefined) {
      throw mistake(
        `has something in part ${index + 1} that is none of ${KEYS.join('=, ')}=. A secret cannot hold a ;, which ends a part`,
      );
    }
    const value = part.slice(split + 1).trim();
    if (value === '') throw mistake(`has an empty ${key}`);
    if (values[key] !== undefined) throw mistake(`has ${key} twice`);
    values[key] = value;
  }
  return values;
}

function identityOf({ AuthType, AccessKey, ...identity }: Values): WebPubSubIdentity {
  if (AuthType !== undefined && AuthType.toLowerCase() !== 'aad') throw mistake('has an AuthType other than aad');
  if (AccessKey === undefined) {
    if (AuthType === undefined) throw mistake('has neither AuthType=aad nor AccessKey');
    return entraIdentityOf(identity);
  }
  if (AuthType !== undefined) throw mistake('has both AuthType=aad and AccessKey: keep the first, and drop the key');
  if ((identity.ClientId ?? identity.TenantId ?? identity.ClientSecret) !== undefined) {
    throw mistake('has both AccessKey and an identity: ClientId, TenantId and ClientSecret go with AuthType=aad alone');
  }
  return { kind: 'access-key', accessKey: AccessKey };
}

function entraIdentityOf({ ClientId, TenantId, ClientSecret }: Values): WebPubSubIdentity {
  if (ClientId !== undefined && !guid.safeParse(ClientId).success) throw mistake('has a ClientId that is no GUID');
  if (TenantId !== undefined && !tenant.safeParse(TenantId).success) {
    throw mistake('has a TenantId that is neither a GUID nor a domain');
  }
  if (ClientSecret === undefined) {
    if (TenantId !== undefined) throw mistake('has a TenantId without ClientSecret: a managed identity has no tenant');
    return ClientId === undefined ? { kind: 'system-assigned' } : { kind: 'user-assigned', clientId: ClientId };
  }
  if (ClientId === undefined) throw mistake('has a ClientSecret without ClientId');
  if (TenantId === undefined) throw mistake('has a ClientSecret without TenantId');
  return { kind: 'application', clientId: ClientId, tenantId: TenantId, clientSecret: ClientSecret };
}

function endpointOf(endpoint: string, port: string | undefined, { kind }: WebPubSubIdentity): string {
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:\/\//i.test(endpoint)) throw mistake('has an Endpoint that is no https URL');
  if (/[?#@]/.test(endpoint)) throw mistake('has an Endpoint with a user, a query or a fragment');
  if (url.pathname !== '/') throw mistake('has an Endpoint with a path');
  if (url.protocol === 'http:' && kind !== 'access-key') {
    throw mistake('has an http Endpoint: an identity is sent over https alone');
  }
  if (url.protocol === 'http:' && !loopback.test(url.hostname)) {
    throw mistake('has an http Endpoint, which is for loopback alone');
  }
  if (port !== undefined && !isPort(port)) throw mistake('has a Port that is none of 1 to 65535');
  url.port = port ?? url.port;
  return url.origin;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function mistake(what: string): PubSubError {
  return new PubSubError('connection_string', `WEB_PUBSUB_CONNECTION_STRING: ${what}.`);
}
