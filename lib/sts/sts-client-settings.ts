import { randomBytes } from 'node:crypto';
import { setTimeout as waitFor } from 'node:timers/promises';
import { isGuid } from './authorization.ts';
import { type CheckedCredential, checkCredential, type StsCredential } from './credential.ts';
import { StsError } from './sts-error.ts';

export interface StsClientOptions {
  /** Where the STS answers; `https://sts.{accountDomain}` where it is left out. Plain http is allowed on loopback alone. */
  readonly authenticationEndpointUrl?: string | undefined;
  /** What a TokenCredential is asked for; `/.default` of the endpoint's origin where it is left out. */
  readonly scope?: string | undefined;
  readonly fetch?: typeof globalThis.fetch;
  readonly now?: () => Date;
  /** A new X-MRC-CV for each request: 22 random characters of base64 where it is left out. */
  readonly newCorrelationVector?: () => string;
  /** How long one request may take, credential included; 10 s where it is left out. */
  readonly timeoutMilliseconds?: number;
  /** Waits between two tries. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

export interface StsClientSettings {
  readonly url: string;
  /** The STS's address without the account, for messages. */
  readonly origin: string;
  readonly scope: string;
  readonly credential: CheckedCredential;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => Date;
  readonly newCorrelationVector: () => string;
  readonly timeoutMilliseconds: number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
}

const API_VERSION = '2019-02-28-preview';
const MAX_DOMAIN_LENGTH = 259;
const MAX_URL_LENGTH = 2048;
const MAX_TIMEOUT_MILLISECONDS = 600_000;
const domain = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/i;
const loopback = /^(?:localhost|.+\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/** @throws StsError `invalid_argument` naming what is wrong */
export function checkClientSettings(
  accountId: string,
  accountDomain: string,
  credential: StsCredential,
  options: StsClientOptions,
): StsClientSettings {
  if (!isGuid(accountId)) throw wrong('The account id must be a GUID.');
  if (accountDomain.length > MAX_DOMAIN_LENGTH || !domain.test(accountDomain)) {
    throw wrong('The account domain must be a host, with a port or without, as westeurope.mixedreality.azure.com.');
  }
  const endpoint = checkEndpoint(options.authenticationEndpointUrl ?? `https://sts.${accountDomain}`);
  const { timeoutMilliseconds = 10_000, scope = `${endpoint.origin}/.default` } = options;
  if (!(timeoutMilliseconds >= 1 && timeoutMilliseconds <= MAX_TIMEOUT_MILLISECONDS)) {
    throw wrong(`The timeout must be 1 to ${MAX_TIMEOUT_MILLISECONDS} ms.`);
  }
  if (scope.length > MAX_URL_LENGTH || !/^[\x21-\x7e]+$/.test(scope)) throw wrong('The scope must be one URI.');
  return {
    url: `${endpoint.href.replace(/\/+$/, '')}/Accounts/${accountId}/token?api-version=${API_VERSION}`,
    origin: endpoint.origin,
    scope,
    credential: checkCredential(credential, accountId),
    fetch: options.fetch ?? globalThis.fetch,
    now: options.now ?? (() => new Date()),
    newCorrelationVector: options.newCorrelationVector ?? newCorrelationVector,
    timeoutMilliseconds,
    wait: options.wait ?? waitFor,
  };
}

function checkEndpoint(text: string): URL {
  // The URL parser drops line breaks silently; whoever sends some means no good.
  const url = text.length <= MAX_URL_LENGTH && /^[\x21-\x7e]+$/.test(text) && URL.parse(text);
  if (!url) throw wrong('The authentication endpoint must be a URL.');
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname));
  if (!secure) throw wrong('The authentication endpoint must be https; plain http is for loopback alone.');
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '') {
    throw wrong('The authentication endpoint must have no user, query or fragment.');
  }
  return url;
}

/** As the original libraries make it: 16 random bytes, without the padding. */
function newCorrelationVector(): string {
  return randomBytes(16).toString('base64').slice(0, 22);
}

function wrong(message: string): StsError {
  return new StsError('invalid_argument', message);
}
