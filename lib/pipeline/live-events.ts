import { type LiveEvent, liveEventOf } from '#lib/api';
import { untilAborted } from '#lib/identity';
import type { Audience, LiveEvents } from '#lib/pubsub';
import type { OutboxCursor, Outboxes, PipelineRecord, RecordBase, RecordEvent, RecordKind } from '#lib/records';
import { stillToKeepOff } from './live-events-connections.ts';
import type { LiveEventPauses } from './live-events-pauses.ts';
import { sideBySide } from './side-by-side.ts';

/** What a commit waits for its event, and for what others left, to be published, at most. */
const COMMIT_MILLISECONDS = 1000;
/** Records whose cursor is kept in mind; that of another is read from its outbox. */
const MAX_CURSORS = 10_000;
/** Records that commits left to be published once Web PubSub is back; the reaper finds those beyond. */
const MAX_LEFT = 1000;
/** Records that are drained at the same time. */
export const DRAINS_AT_ONCE = 8;

/** What is asked of the records of one kind. */
export interface ToldRecords {
  read(id: string): Promise<RecordBase | undefined>;
  history(id: string, after: number): Promise<RecordEvent[]>;
  isTerminal(record: RecordBase): boolean;
}

export interface LiveFeedParts {
  readonly events: Pick<LiveEvents, 'publish'>;
  readonly outboxes: Outboxes;
  readonly records: Readonly<Record<RecordKind, ToldRecords>>;
  /** Whose records they are: the events' source. */
  readonly accountId: string;
  /** Where more events of one record than that wait, one goes out in their place, with the present state. */
  readonly backlog: number;
  /** The user ids that hear nothing any more. */
  readonly keptOut: () => Promise<readonly string[]>;
  /** Shared by all who send to Web PubSub. */
  readonly pauses: LiveEventPauses;
  readonly now: () => Date;
}

interface RecordName {
  readonly kind: RecordKind;
  readonly id: string;
}

/** An event of a record as it is told: its own, or the one that stands for too many. */
type ToldEvent = Omit<RecordEvent, 'type'> & { readonly type: RecordEvent['type'] | 'collapsed' };

/**
 * Publishes the events of records out of their outboxes: in order, each at least once. Within a process one drain at a time works on a
 * record; where two processes do, each keeps the order and the cursor never goes back, so that repeats are all that comes of it.
 */
export class LiveFeed {
  readonly #parts: LiveFeedParts;
  readonly #cursors = new Map<string, OutboxCursor>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #left = new Map<string, RecordName>();
  readonly #pauses: LiveEventPauses;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
    this.#pauses = parts.pauses;
  }

  /**
   * Publishes what a commit has just written, and what was left before it; then what other records' commits have left. All that for at
   * most a second. It never throws: what could not be published is drained by a later commit or the reaper.
   */
  async afterCommit(kind: RecordKind, record: RecordBase, event: RecordEvent): Promise<void> {
    const name = { kind, id: record.id };
    if (this.#pauses.isPaused()) return this.#leave(name);
    const probes = this.#pauses.probe();
    const signal = AbortSignal.timeout(COMMIT_MILLISECONDS);
    const work = async () => {
      if (this.#pauses.isPaused() && !probes) return this.#leave(name);
      const cursor = await this.#cursorBefore(kind, record.id, event.sequence);
      if (cursor === undefined || cursor.published >= event.sequence) return;
      await this.#publish(kind, record, cursor, signal, event);
    };
    try {
      await this.#inTurn(kind, record.id, signal, work);
    } catch {
      return this.#leave(name);
    }
    if (!this.#pauses.isPaused()) await this.#catchUp(signal);
  }

  /** The ids of the records that have an outbox: those of which something is left to publish are among them. */
  async undrained(kind: RecordKind): Promise<string[]> {
    return await this.#parts.outboxes.list(kind);
  }

  /**
   * Publishes what is left of a record's events, also while commits pause, but not while Web PubSub wishes to be left alone.
   * @returns how many were published
   * @throws PubSubError, RecordsError, or the signal's reason; what was published until then stays so
   */
  async drain(kind: RecordKind, id: string, signal: AbortSignal): Promise<number> {
    let published = 0;
    const key = keyOf(kind, id);
    const left = this.#left.get(key);
    await this.#inTurn(kind, id, signal, async () => {
      const { outboxes, records } = this.#parts;
      const [cursor, record] = await Promise.all([outboxes.read(kind, id), records[kind].read(id)]);
      // Of a record that is gone there is nothing to tell.
      if (record === undefined) await outboxes.remove(kind, id);
      if (cursor === undefined || record === undefined) return;
      published = await this.#publish(kind, record, cursor, signal);
    });
    // Unless a commit has left something since.
    if (this.#left.get(key) === left) this.#left.delete(key);
    return published;
  }

  #leave(name: RecordName): void {
    const key = keyOf(name.kind, name.id);
    if (this.#left.has(key) || this.#left.size < MAX_LEFT) this.#left.set(key, name);
  }

  /** Publishes what commits have left. One commit does so at a time: the next one finds nothing, or what the one before had no time for. */
  async #catchUp(signal: AbortSignal): Promise<void> {
    const left = [...this.#left.values()];
    this.#left.clear();
    await sideBySide(left, DRAINS_AT_ONCE, async (name) => {
      const isOver = () => signal.aborted || this.#pauses.isPaused();
      if (isOver()) return this.#leave(name);
      await this.drain(name.kind, name.id, signal).catch(() => {
        // What else keeps a record from being drained is for the reaper to tell.
        if (isOver()) this.#leave(name);
      });
    });
  }

  /** Runs work once whatever else works on the record is over, or was given up. */
  async #inTurn(kind: RecordKind, id: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const key = keyOf(kind, id);
    const before = this.#running.get(key) ?? Promise.resolve();
    const turn = before.then(() => (signal.aborted ? undefined : untilAborted(work(), signal)));
    // Who comes next waits for its end, not for its success.
    const end = turn.catch(() => undefined);
    this.#running.set(key, end);
    try {
      await untilAborted(turn, signal);
    } finally {
      void end.then(() => this.#running.get(key) === end && this.#running.delete(key));
    }
  }

  /** How far the record was published before an event, as far as it must be known: nobody has published a new record's first. */
  async #cursorBefore(kind: RecordKind, id: string, sequence: number): Promise<OutboxCursor | undefined> {
    if (sequence === 1) return { published: 0 };
    const known = this.#cursors.get(keyOf(kind, id));
    return known?.published === sequence - 1 ? known : await this.#parts.outboxes.read(kind, id);
  }

  /** Publishes the events between a cursor and the record's last, and moves the cursor as far as it came. @returns how many */
  async #publish(
    kind: RecordKind,
    record: RecordBase,
    cursor: OutboxCursor,
    signal: AbortSignal,
    last?: RecordEvent,
  ): Promise<number> {
    let { published } = cursor;
    let count = 0;
    try {
      if (published >= record.sequence) return count;
      const [unpublished, audience] = await Promise.all([
        this.#unpublished(kind, record, published, last),
        this.#audienceOf(kind, record),
      ]);
      for (const event of unpublished) {
        signal.throwIfAborted();
        const told = liveEventOf(`/accounts/${this.#parts.accountId}`, kind, record.id, event);
        // What fails after others went through was cut short, and so was a drain whose time is over: neither holds commits off.
        await this.#send(told, audience, signal, () => count > 0 || (last === undefined && signal.aborted));
        published = event.sequence;
        count += 1;
      }
      return count;
    } finally {
      await this.#settle(kind, record, cursor, published);
    }
  }

  async #send(event: LiveEvent, audience: Audience, signal: AbortSignal, wasCutShort: () => boolean): Promise<void> {
    this.#pauses.refuseSilenced();
    try {
      await untilAborted(this.#parts.events.publish(event, audience, signal), signal);
      this.#pauses.succeeded();
    } catch (error) {
      this.#pauses.failed(error, wasCutShort());
      throw error;
    }
  }

  async #unpublished(
    kind: RecordKind,
    record: RecordBase,
    published: number,
    last: RecordEvent | undefined,
  ): Promise<readonly ToldEvent[]> {
    if (last?.sequence === published + 1) return [last];
    const isTooMuch = record.sequence - published > this.#parts.backlog;
    const history = await this.#parts.records[kind].history(record.id, isTooMuch ? record.sequence - 1 : published);
    // What was written since then is for the drain after that commit, which also knows whether the record is over.
    const events = history.filter(({ sequence }) => sequence <= record.sequence);
    return isTooMuch ? events.map((event) => ({ ...event, type: 'collapsed' })) : events;
  }

  /** A conversion's and a session's readers are those that their pipeline had at their creation; those that it has now hear of them. */
  async #audienceOf(kind: RecordKind, record: RecordBase): Promise<Audience> {
    const { records, keptOut, now } = this.#parts;
    const [pipeline, out] = await Promise.all([
      kind === 'pipeline' ? record : records.pipeline.read(record.id),
      keptOut(),
    ]);
    return audienceOf(pipeline ?? record, out, now());
  }

  async #settle(kind: RecordKind, record: RecordBase, cursor: OutboxCursor, published: number): Promise<void> {
    const { outboxes, records } = this.#parts;
    const key = keyOf(kind, record.id);
    if (published >= record.sequence && records[kind].isTerminal(record)) {
      this.#cursors.delete(key);
      await outboxes.remove(kind, record.id);
    } else if (published > cursor.published) {
      this.#remember(key, { ...cursor, published });
      const moved = await outboxes.advance(kind, record.id, published, cursor.etag);
      if (moved !== undefined) this.#remember(key, moved);
    }
  }

  #remember(key: string, cursor: OutboxCursor): void {
    this.#cursors.delete(key);
    this.#cursors.set(key, cursor);
    const [oldest] = this.#cursors.keys();
    if (this.#cursors.size > MAX_CURSORS && oldest !== undefined) this.#cursors.delete(oldest);
  }
}

function keyOf(kind: RecordKind, id: string): string {
  return `${kind} ${id}`;
}

/**
 * Who hears of a pipeline. Whoever was taken off its readers is in its group again with each connection that an old token opens; so the
 * group counts for nothing until these are over. Owner, readers, Clients and Administrators hear without it.
 */
export function audienceOf(
  pipeline: RecordBase & Pick<PipelineRecord, 'formerReaders'>,
  keptOut: readonly string[],
  now: Date,
): Audience {
  const { id: pipelineId, owner, readers } = pipeline;
  return { pipelineId, owner, readers, groupIsStale: stillToKeepOff(now, pipeline).length > 0, keptOut };
}
