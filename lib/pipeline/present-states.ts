import { type LiveEvent, liveEventOf } from '#lib/api';
import { untilAborted } from '#lib/identity';
import { type Audience, type LiveEvents, PubSubError, type PubSubErrorCode } from '#lib/pubsub';
import {
  type ConversionRecord,
  type Outboxes,
  type PipelineRecord,
  RECORD_KINDS,
  type RecordKind,
  type RecordStore,
  type SessionRecord,
} from '#lib/records';
import { audienceOf } from './live-events.ts';
import type { LiveEventPauses } from './live-events-pauses.ts';
import { sideBySide } from './side-by-side.ts';

/** Those that changed last are told; of more, a client asks the route that lists them. */
const MAX_PIPELINES = 100;
/** How long the state in which a pipeline ended is told to those who come after. */
const ENDED_MILLISECONDS = 3_600_000;
/** A round that takes longer leaves the rest untold: Web PubSub waits for an answer, and the next round for this one. */
const ROUND_MILLISECONDS = 10_000;
/** Few: what happens meanwhile is told between them. */
const SENDS_AT_ONCE = 2;
const READS_AT_ONCE = 32;
/** Where more connections than that come at once, everybody is told: all must drop repeats anyway, and a storm costs no more than that. */
const MAX_NAMED_CONNECTIONS = 500;
/** Events of a record that were written and not yet published, and are told with its last published one. More are a backlog. */
const MAX_ON_THEIR_WAY = 10;
/** What the next send would be told as well. */
const LOST: ReadonlySet<PubSubErrorCode> = new Set(['throttled', 'unreachable']);

export interface PresentStatesParts {
  readonly events: Pick<LiveEvents, 'repeat'>;
  readonly outboxes: Outboxes;
  readonly records: {
    readonly pipeline: RecordStore<PipelineRecord>;
    readonly conversion: RecordStore<ConversionRecord>;
    readonly session: RecordStore<SessionRecord>;
  };
  readonly accountId: string;
  /** The user ids that hear nothing any more. */
  readonly keptOut: () => Promise<readonly string[]>;
  /** Shared by all who send to Web PubSub. */
  readonly pauses: LiveEventPauses;
  readonly now: () => Date;
}

/** Up to which event the records of each kind are published. */
type Published = Readonly<Record<RecordKind, ReadonlyMap<string, number>>>;

type Told = readonly string[] | 'everyone';

type Send = (event: LiveEvent, audience: Audience) => Promise<void>;

interface Round {
  readonly connectionIds: Set<string>;
  /** What could not be told, in words. Never rejected. */
  readonly over: Promise<readonly string[]>;
}

/**
 * Tells connections that are new how things stand: of each pipeline that is not over, or was not an hour ago, the last event of its record,
 * its conversion's and its session's, unchanged, the pipeline that changed last first. Whoever had it before drops it as a repeat, and Web
 * PubSub decides who of the new ones may hear it. One round runs at a time; those who come meanwhile share the next one.
 */
export class PresentStates {
  readonly #parts: PresentStatesParts;
  #next: Round | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(parts: PresentStatesParts) {
    this.#parts = parts;
  }

  /**
   * Over when the connection was told, for some 20 s at most.
   * @returns what could not be told, in words: to one alone of those who share a round
   */
  async tell(connectionId: string): Promise<readonly string[]> {
    if (this.#next !== undefined) {
      this.#next.connectionIds.add(connectionId);
      await this.#next.over;
      return [];
    }
    const connectionIds = new Set([connectionId]);
    const over = this.#running.then(() => {
      this.#next = undefined;
      return this.#round(connectionIds.size > MAX_NAMED_CONNECTIONS ? 'everyone' : [...connectionIds]);
    });
    this.#next = { connectionIds, over };
    this.#running = over;
    return await over;
  }

  async #round(connectionIds: Told): Promise<readonly string[]> {
    const lost = new AbortController();
    const signal = AbortSignal.any([AbortSignal.timeout(ROUND_MILLISECONDS), lost.signal]);
    const failures: string[] = [];
    const send = this.#sender(connectionIds, signal);
    const tellOf = async (record: PipelineRecord, published: Published) => {
      try {
        signal.throwIfAborted();
        await untilAborted(this.#tellOf(record, published, send), signal);
      } catch (error) {
        if (isLost(error)) lost.abort(error);
        failures.push(`The pipeline ${record.id}: ${String(error)}`);
      }
    };
    try {
      this.#parts.pauses.refuseSilenced();
      // First how far events are published: what is published from here on is told twice rather than never.
      const published = await untilAborted(this.#published(), signal);
      const records = await untilAborted(this.#pipelines(published, failures), signal);
      await sideBySide(records, SENDS_AT_ONCE, (record) => tellOf(record, published));
    } catch (error) {
      failures.push(String(error));
    }
    return failures;
  }

  async #published(): Promise<Published> {
    const [pipeline, conversion, session] = await Promise.all(
      RECORD_KINDS.map((kind) => this.#parts.outboxes.published(kind)),
    );
    const none = new Map<string, number>();
    return { pipeline: pipeline ?? none, conversion: conversion ?? none, session: session ?? none };
  }

  /** The pipelines to tell of. One without an outbox that is not over was created since: all of it is told live. */
  async #pipelines({ pipeline: outboxes }: Published, failures: string[]): Promise<PipelineRecord[]> {
    const {
      records: { pipeline: pipelines },
      now,
    } = this.#parts;
    const unlessUnreadable = (error: unknown) => {
      failures.push(String(error));
      return [];
    };
    const changed = await pipelines
      .listChangedSince(new Date(now().getTime() - ENDED_MILLISECONDS))
      .catch(unlessUnreadable);
    const records = changed.filter((record) => outboxes.has(record.id) || pipelines.isTerminal(record));
    const known = new Set(records.map(({ id }) => id));
    const others = [...outboxes.keys()].filter((id) => !known.has(id));
    await sideBySide(others, READS_AT_ONCE, async (id) => {
      const record = await pipelines.read(id).catch(unlessUnreadable);
      records.push(...[record ?? []].flat());
    });
    return records
      .toSorted((one, other) => Date.parse(other.updatedAt) - Date.parse(one.updatedAt))
      .slice(0, MAX_PIPELINES);
  }

  async #tellOf(record: PipelineRecord, published: Published, send: Send): Promise<void> {
    const { id } = record;
    const audience = audienceOf(record, await this.#parts.keptOut(), this.#parts.now());
    const events = await Promise.all(RECORD_KINDS.map((kind) => this.#presentOf(kind, id, published[kind].get(id))));
    for (const event of events.flat()) await send(event, audience);
  }

  /**
   * Sends also while commits pause: who connects has found Web PubSub well again, and what goes through ends the pause for all. But not while
   * it wishes to be left alone. Where a round finds it lost, commits pause as after one of theirs, however many sends that failed.
   */
  #sender(connectionIds: Told, signal: AbortSignal): Send {
    const { events, pauses } = this.#parts;
    let isKnownLost = false;
    return async (event, audience) => {
      pauses.refuseSilenced();
      try {
        await events.repeat(event, audience, connectionIds, signal);
        pauses.succeeded();
      } catch (error) {
        // What fails for another reason is no sign for commits: their requests are others.
        if (isLost(error) && !isKnownLost) {
          isKnownLost = true;
          pauses.failed(error, false);
        }
        throw error;
      }
    };
  }

  /**
   * A record's last published event and what follows it: whatever else publishes at the same time, each of the two streams begins at or
   * before what was published and leaves nothing out, so that a client that drops repeats misses nothing and hears it in order.
   */
  async #presentOf(kind: RecordKind, id: string, published: number | undefined): Promise<LiveEvent[]> {
    const { outboxes, records, accountId } = this.#parts;
    const told = async () => {
      if (published !== undefined) {
        return (await records[kind].history(id, Math.max(0, published - 1))).slice(0, 1 + MAX_ON_THEIR_WAY);
      }
      // All is published of what has no outbox, but for what was created since.
      return (await outboxes.read(kind, id)) === undefined ? (await records[kind].history(id)).slice(-1) : [];
    };
    return (await told()).map((event) => liveEventOf(`/accounts/${accountId}`, kind, id, event));
  }
}

function isLost(error: unknown): boolean {
  return error instanceof PubSubError && LOST.has(error.code);
}
