import type { Config } from '#lib/config';
import { untilAborted } from '#lib/identity';
import { CLIENTS, type LiveEvents } from '#lib/pubsub';
import type { PipelineRecord, Revocations } from '#lib/records';
import type { LiveFeed } from './live-events.ts';
import { PipelineError } from './pipeline-error.ts';

/**
 * Beyond a token's life: clocks may differ by 5 minutes (contract 1.2), another instance may give a token for a minute more, and a connection
 * that was made at the last moment is to meet some sweeps yet.
 */
const MARGIN_MINUTES = 15;
/** A record is a small document. Whoever takes off more readers than that in an hour has everybody else taken off with them. */
const MAX_FORMER_READERS = 50;
/** Whoever was revoked last is left out of each send: more would make a URL too long. The connections of others are closed alone. */
const MAX_KEPT_OUT = 30;
/** What a request waits for connections to be closed, at most; the reaper does it again. */
const REQUEST_MILLISECONDS = 1000;

/** What is asked of Web PubSub about connections whose user may not hear any more what they hear. */
export type LiveConnections = Pick<LiveEvents, 'closeUser' | 'dropReader' | 'dropOthers'>;

/** Live events where Web PubSub is configured. */
export interface Live {
  readonly feed: LiveFeed;
  readonly connections: LiveConnections;
}

/** What tells how long a client token may be left that was given out before. */
export interface TokenLife {
  readonly config: Pick<Config, 'CLIENT_TOKEN_MAX_MINUTES'>;
  readonly now: () => Date;
}

/** True while somebody may come back with a client token that they were given before a moment, ISO 8601. */
export function mayHaveToken({ config, now }: TokenLife, before: string): boolean {
  return now() < lastUseOf(config, new Date(before));
}

/**
 * Revokes a caller, or a signing key, and closes what connections the caller has. Where Web PubSub does not answer within a second, the
 * reaper closes them, as it does those of whoever comes back with an old token.
 * @throws PipelineError `own_access` where the caller is the one who revokes
 */
export async function revoke(
  { revocations, live }: { readonly revocations: Revocations; readonly live?: Live | undefined },
  target: string,
  by: string,
): Promise<Awaited<ReturnType<Revocations['revoke']>>> {
  if (target.toLowerCase() === by.toLowerCase()) {
    const detail = 'Nobody could let you in again but another Administrator: ask one to revoke you.';
    throw new PipelineError('own_access', detail, 'target');
  }
  const revoked = await revocations.revoke(target, by);
  if (live !== undefined) await atOnce(closeRevoked(live.connections, target));
  return revoked;
}

/** Closes every connection of who is revoked. @throws PubSubError */
export async function closeRevoked(connections: LiveConnections, target: string): Promise<void> {
  await Promise.all(usersOf([target]).map((user) => connections.closeUser(user, 'revoked')));
}

/** Who is to be kept from listening once a pipeline has other readers: whoever could read it before, and was given a token perhaps. */
export function formerReadersOf(
  { config, now }: TokenLife,
  current: PipelineRecord,
  readers: readonly string[],
): NonNullable<PipelineRecord['formerReaders']> {
  // Every caller is a Client or an Administrator: nobody is kept from what all Clients may read.
  if (readers.includes(CLIENTS)) return [];
  const until = lastUseOf(config, now()).toISOString();
  const left = current.readers.filter((subject) => !readers.includes(subject) && subject !== current.owner);
  const before = stillToKeepOff(now(), current).filter(({ subject }) => ![...readers, ...left].includes(subject));
  const former = [...before, ...left.map((subject) => ({ subject, until }))];
  return former.length > MAX_FORMER_READERS ? [{ subject: CLIENTS, until }] : former;
}

/** Takes out of a pipeline's group who could read it once and cannot any more. @throws PubSubError */
export async function dropFormerReaders(connections: LiveConnections, record: PipelineRecord, now: Date) {
  const { id: pipelineId, owner, readers } = record;
  await Promise.all(
    stillToKeepOff(now, record).map(({ subject }) =>
      subject === CLIENTS
        ? connections.dropOthers({ pipelineId, owner, readers })
        : connections.dropReader(subject, pipelineId),
    ),
  );
}

/** The user ids that hear nothing any more, though an old token may open a connection that is yet to be closed. @throws RecordsError */
export async function keptOut(revocations: Pick<Revocations, 'latest'>, life: TokenLife): Promise<string[]> {
  const latest = (await revocations.latest(MAX_KEPT_OUT)).filter(({ revokedAt }) => mayHaveToken(life, revokedAt));
  return usersOf(latest.map(({ target }) => target));
}

/** Waits a second for what the reaper will do again if it fails. */
export async function atOnce(work: Promise<void>): Promise<void> {
  await untilAborted(work, AbortSignal.timeout(REQUEST_MILLISECONDS)).catch(() => undefined);
}

export function stillToKeepOff(now: Date, { formerReaders = [] }: Pick<PipelineRecord, 'formerReaders'>) {
  return formerReaders.filter(({ until }) => now.toISOString() < until);
}

function lastUseOf({ CLIENT_TOKEN_MAX_MINUTES }: TokenLife['config'], given: Date): Date {
  return new Date(given.getTime() + (CLIENT_TOKEN_MAX_MINUTES + MARGIN_MINUTES) * 60_000);
}

/** A revocation acts whatever case the id was typed in, and Web PubSub tells cases apart: Microsoft Entra writes ids in lower case. */
function usersOf(targets: readonly string[]): string[] {
  return [...new Set(targets.flatMap((target) => [target, target.toLowerCase()]))];
}
