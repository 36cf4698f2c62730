import { decodeJwt, type JWTPayload } from 'jose';
import { z } from 'zod';
import { isGroup, isRole, isUserId } from './names.ts';
import { PubSubError } from './pubsub-error.ts';
import { ask, type Service } from './service.ts';

export interface ClientTokenRequest {
  readonly userId: string;
  readonly minutes: number;
  /** Groups that a connection with this token is in from its start. */
  readonly groups: readonly string[];
  readonly roles: readonly string[];
}

export interface ClientToken {
  readonly token: string;
  /** Where to connect, without the token and with it. */
  readonly baseUrl: string;
  readonly url: string;
  /** After that nobody connects with it any more; a connection that is there stays. */
  readonly expiresOn: Date;
}

export interface ClientTokens {
  /**
   * A token for a client to connect with. Both what goes to the service and what comes back is checked: the SDK checks neither.
   * @throws PubSubError; `permission` also where the identity may make tokens but nobody could connect with them
   */
  issue(request: ClientTokenRequest): Promise<ClientToken>;
}

const ISSUE_MILLISECONDS = 10_000;
const PERMITTED_MILLISECONDS = 300_000;
const CLOCK_SKEW_SECONDS = 300;
const MAX_TOKEN_LENGTH = 16_384;
/** What the service asks of the identity again when a client connects (contract 0.8). */
const CONNECT_ACTION = 'Microsoft.SignalRService/WebPubSub/clientConnection/write';
/** No connection's: the service makes ids of its own. */
const NO_CONNECTION = 'remote-rendering-functions-permission-check';

export function clientTokensOf(service: Service, maxMinutes: number, now: () => Date): ClientTokens {
  const checkConnect = connectCheck(service, now);
  return {
    async issue(request) {
      checkRequest(request, maxMinutes);
      const { userId, minutes, groups, roles } = request;
      const made = ask('make a client token', ISSUE_MILLISECONDS, (abortSignal) =>
        service.client.getClientAccessToken({
          userId,
          expirationTimeInMinutes: minutes,
          groups: [...groups],
          roles: [...roles],
          abortSignal,
        }),
      );
      const [given] = await Promise.all([made, checkConnect()]);
      return checkedToken(service, request, given, now());
    },
  };
}

/**
 * Sees that clients could connect with what this identity makes. The service tells a client without saying why (401 at the handshake),
 * but asks the same data action of whoever closes a connection, and names it in that refusal; so one is closed that does not exist.
 * Every other answer says nothing about it and passes. What was seen holds for five minutes.
 */
function connectCheck({ client, hasPermissions }: Service, now: () => Date): () => Promise<void> {
  let seenUntil = 0;
  return async () => {
    if (!hasPermissions || now().getTime() < seenUntil) return;
    try {
      await ask('see whether clients could connect', ISSUE_MILLISECONDS, (abortSignal) =>
        client.closeConnection(NO_CONNECTION, { abortSignal }),
      );
      seenUntil = now().getTime() + PERMITTED_MILLISECONDS;
    } catch (error) {
      if (!(error instanceof PubSubError)) throw error;
      if (error.dataAction?.toLowerCase() === CONNECT_ACTION.toLowerCase()) throw error;
    }
  };
}

function checkRequest({ userId, minutes, groups, roles }: ClientTokenRequest, maxMinutes: number): void {
  if (!isUserId(userId)) throw invalid('This cannot be the user id of a connection.');
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > maxMinutes) {
    throw invalid(`A client token is good for 1 to ${maxMinutes} whole minutes.`);
  }
  if (!groups.every(isGroup)) throw invalid('A group has a name of 1 to 1,024 characters.');
  // The service would grant nothing for it, without a word.
  if (!roles.every(isRole)) throw invalid('A role is none that Web PubSub knows.');
}

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]).default([]);
const claims = z.object({ sub: z.string(), exp: z.number(), aud: texts, role: texts, 'webpubsub.group': texts });

function checkedToken(
  { endpoint, hub }: Service,
  request: ClientTokenRequest,
  given: { readonly token: unknown; readonly baseUrl: string; readonly url: string },
  now: Date,
): ClientToken {
  const { token } = given;
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) throw badAnswer('no token');
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw badAnswer('something that is no signed token');
  const baseUrl = `${endpoint.replace(/^http/, 'ws')}/client/hubs/${hub}`;
  if (given.baseUrl !== baseUrl || given.url !== `${baseUrl}?access_token=${token}`) throw badAnswer('another address');
  const parsed = claims.safeParse(payloadOf(token));
  if (!parsed.success) throw badAnswer('a token without user or expiry');
  const { sub, exp, aud, role, 'webpubsub.group': groups } = parsed.data;
  if (sub !== request.userId) throw badAnswer('the token of somebody else');
  if (!aud.some((audience) => isFor(audience, baseUrl))) throw badAnswer('a token for another hub');
  if (!isSame(role, request.roles) || !isSame(groups, request.groups)) {
    throw badAnswer('a token with other roles or groups than it was asked for');
  }
  const left = exp - now.getTime() / 1000;
  if (left <= 0) throw badAnswer('a token that has expired');
  if (left > request.minutes * 60 + CLOCK_SKEW_SECONDS)
    throw badAnswer('a token that lasts longer than it was asked for');
  return { token, baseUrl, url: given.url, expiresOn: new Date(exp * 1000) };
}

function payloadOf(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    // Not kept as a cause: it may quote the token.
    throw badAnswer('something that is no signed token');
  }
}

/** The service takes an audience in any scheme and in any case of host and hub (contract 1.2). */
function isFor(audience: string, baseUrl: string): boolean {
  const withoutScheme = (url: string) => url.replace(/^\w+:\/\//, '').toLowerCase();
  return withoutScheme(audience) === withoutScheme(baseUrl);
}

function isSame(given: readonly string[], asked: readonly string[]): boolean {
  return given.every((each) => asked.includes(each)) && asked.every((each) => given.includes(each));
}

function invalid(message: string): PubSubError {
  return new PubSubError('invalid', message);
}

function badAnswer(what: string): PubSubError {
  return new PubSubError('bad_answer', `Web PubSub answered the request for a client token with ${what}.`);
}
