import { z } from 'zod';
import { redact, untilAborted, withoutSecrets } from '#lib/identity';
import { type Bearer, bearerOf, type CheckedCredential } from './credential.ts';
import { headerSafe } from './header-safe.ts';
import { parseRetryAfter } from './retry-after.ts';
import type { StsClientSettings } from './sts-client-settings.ts';
import { StsError, type StsErrorCode } from './sts-error.ts';
import { expiryOf, isCompactJws } from './token-claims.ts';

export interface AccessToken {
  readonly token: string;
  readonly expiresOn: Date;
}

type Asking = StsClientSettings & { readonly credential: Exclude<CheckedCredential, { kind: 'ready' }> };

const TRIES = 3;
const BACKOFF_MILLISECONDS = 250;
/** A wait that the STS asks for and that is short enough to be waited out while the callers wait. */
const SHORT_WAIT_SECONDS = 2;
/** What the STS's description says in its example of a 429 (contract 4.1). */
const DEFAULT_RETRY_AFTER_SECONDS = 5;
const MAX_ANSWER_BYTES = 65_536;
const MAX_VECTOR_LENGTH = 128;

const answer = z.object({ AccessToken: z.string() });

/**
 * Exchanges the credential for a token of the STS. Network errors and 5xx are tried again, twice, with growing waits, and so is an
 * answer that asks for a short wait.
 * @throws StsError
 */
export async function exchange(settings: Asking): Promise<AccessToken> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await exchangeOnce(settings);
    } catch (error) {
      const wait = tried < TRIES ? waitBeforeRetry(error, tried) : undefined;
      if (wait === undefined) throw error;
      await settings.wait(wait);
    }
  }
}

/** In milliseconds; undefined where another try would be no use, or no courtesy. */
function waitBeforeRetry(error: unknown, tried: number): number | undefined {
  if (!(error instanceof StsError)) return undefined;
  const { code, retryAfterSeconds } = error;
  if (retryAfterSeconds !== undefined) {
    return retryAfterSeconds <= SHORT_WAIT_SECONDS ? retryAfterSeconds * 1000 : undefined;
  }
  return code === 'unavailable' ? BACKOFF_MILLISECONDS * 2 ** (tried - 1) : undefined;
}

async function exchangeOnce(settings: Asking): Promise<AccessToken> {
  const { credential, scope, origin, timeoutMilliseconds, newCorrelationVector } = settings;
  const vector = headerSafe('The correlation vector', newCorrelationVector(), MAX_VECTOR_LENGTH);
  const timeout = AbortSignal.timeout(timeoutMilliseconds);
  const unavailable = (what: string, cause?: Error) =>
    new StsError('unavailable', `The STS at ${origin} ${what} (X-MRC-CV ${vector}).`, {
      cause,
      correlationVector: vector,
    });
  const work = async () => {
    const bearer = await bearerOf(credential, scope, timeout);
    try {
      return await ask(settings, bearer, vector, timeout);
    } catch (error) {
      throw error instanceof StsError ? error : unavailable('cannot be reached', withoutSecrets(error, bearer.secrets));
    }
  };
  try {
    // Not all that is injected heeds a signal.
    return await untilAborted(work(), timeout);
  } catch (error) {
    throw timeout.aborted ? unavailable(`did not answer within ${timeoutMilliseconds} ms`) : error;
  }
}

async function ask(settings: Asking, bearer: Bearer, vector: string, signal: AbortSignal): Promise<AccessToken> {
  const { fetch, url, now } = settings;
  const response = await fetch(url, {
    headers: { Authorization: `Bearer ${bearer.value}`, 'X-MRC-CV': vector, Accept: 'application/json' },
    // The bearer is for this STS and nobody that it may point to.
    redirect: 'manual',
    signal,
  });
  const refuse = refusal(response, vector, bearer.secrets, now());
  if (response.status !== 200) {
    await response.body?.cancel().catch(() => undefined);
    throw refuse(...meaningOf(response.status));
  }
  const text = await readAtMost(response, MAX_ANSWER_BYTES);
  if (text === undefined) throw refuse('bad_answer', `with more than ${MAX_ANSWER_BYTES} bytes`);
  const token = tokenIn(text);
  if (token === undefined) throw refuse('bad_answer', 'without an AccessToken that is a signed token');
  const expiresOn = expiryOf(token);
  if (expiresOn === undefined) throw refuse('bad_answer', 'with a token without expiry');
  if (expiresOn <= now()) throw refuse('bad_answer', `with a token that expired at ${expiresOn.toISOString()}`);
  return { token, expiresOn };
}

/** What a status that is no success means, for programs and for people. */
function meaningOf(status: number): [StsErrorCode, string] {
  switch (status) {
    case 401:
      return ['unauthorized', '401: it does not take the credential. Check the account id and key, or the identity'];
    case 403:
      return ['forbidden', '403: the identity has no role on this account'];
    case 429:
      return ['throttled', '429: it is asked too often'];
    default:
      if (status >= 500) return ['unavailable', String(status)];
      if (status >= 400) return ['bad_request', `${status}. Check the account id and the endpoint`];
      if (status >= 300 || status === 0) return ['bad_answer', `${status}: a redirect, which is not followed`];
      return ['bad_answer', String(status)];
  }
}

/** Makes the errors about one answer: each names both correlation vectors, by which the STS's owner finds the request. */
function refusal(response: Response, vector: string, secrets: readonly string[], now: Date) {
  const theirs = redact(response.headers.get('MS-CV') ?? '', secrets);
  const serviceVector = /^[\w+/=.!:-]{1,128}$/.test(theirs) ? theirs : undefined;
  return (code: StsErrorCode, what: string): StsError => {
    const vectors = `X-MRC-CV ${vector}${serviceVector === undefined ? '' : `, MS-CV ${serviceVector}`}`;
    return new StsError(code, `The STS answered ${what} (${vectors}).`, {
      correlationVector: vector,
      serviceCorrelationVector: serviceVector,
      retryAfterSeconds: retryAfterOf(response, now),
    });
  };
}

function retryAfterOf({ status, headers }: Response, now: Date): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  return parseRetryAfter(headers.get('Retry-After'), now) ?? (status === 429 ? DEFAULT_RETRY_AFTER_SECONDS : undefined);
}

/** The body as text, undefined where it is longer; the rest is not read then. */
async function readAtMost(response: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tokenIn(text: string): string | undefined {
  try {
    const { AccessToken } = answer.parse(JSON.parse(text));
    return isCompactJws(AccessToken) ? AccessToken : undefined;
  } catch {
    // Not kept as a cause: it would quote the answer.
    return undefined;
  }
}
