import { z } from 'zod';

/** The managed identity of the resource, as the endpoint of the host that it runs on gives tokens of it. */
export interface OwnIdentity {
  readonly endpoint: string;
  /** What the endpoint wants to be shown. */
  readonly header: string;
}

/** Gives an access token of the resource's own identity. @throws Error where there is none to be had */
export type OwnTokens = (resource: string) => Promise<string>;

const ANSWER_MILLISECONDS = 5000;
/** A token is used for so long before its end at the latest. */
const MARGIN_MILLISECONDS = 300_000;

const answer = z.object({ access_token: z.string(), expires_on: z.coerce.number() });

/** Keeps each token until shortly before its end; all who ask at once share one request. */
export function ownTokens(identity: OwnIdentity | undefined, now: () => Date): OwnTokens {
  const known = new Map<string, Promise<{ readonly token: string; readonly until: number }>>();
  const forget = (resource: string, kept: unknown) => {
    if (known.get(resource) === kept) known.delete(resource);
  };
  const ownToken: OwnTokens = async (resource) => {
    if (identity === undefined)
      throw new Error('The resource has no identity of its own to show to the event handler.');
    const kept = known.get(resource);
    const asked = kept ?? ask(identity, resource);
    known.set(resource, asked);
    try {
      const { token, until } = await asked;
      // Who asked for it uses it, however short it lasts.
      if (kept === undefined || now().getTime() < until) return token;
    } catch (error) {
      forget(resource, asked);
      throw error;
    }
    forget(resource, asked);
    return await ownToken(resource);
  };
  return ownToken;
}

async function ask({ endpoint, header }: OwnIdentity, resource: string) {
  const query = new URLSearchParams({ 'api-version': '2019-08-01', resource });
  const response = await fetch(`${endpoint}?${query}`, {
    headers: { 'x-identity-header': header },
    signal: AbortSignal.timeout(ANSWER_MILLISECONDS),
  });
  if (!response.ok) throw new Error(`The endpoint of managed identities answered ${response.status}.`);
  const { access_token: token, expires_on: expiresOn } = answer.parse(await response.json());
  return { token, until: expiresOn * 1000 - MARGIN_MILLISECONDS };
}
