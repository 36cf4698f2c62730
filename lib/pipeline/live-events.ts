import type { LiveEvent } from '#lib/api';
import type { Audience, LiveEvents } from '#lib/pubsub';
import type { OutboxCursor, Outboxes, RecordBase, RecordEvent, RecordKind } from '#lib/records';
import { within } from './within.ts';

/** What a commit waits for its event to be published, at most. */
const COMMIT_MILLISECONDS = 1000;
/** How long no commit tries to publish after one that could not, at first and at most: a Web PubSub that is lost slows nobody down. */
const FIRST_PAUSE_MILLISECONDS = 2000;
const LONGEST_PAUSE_MILLISECONDS = 20_000;
/** Records whose cursor is kept in mind; that of another is read from its outbox. */
const MAX_CURSORS = 10_000;

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
  readonly now: () => Date;
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
  #pausedUntil = 0;
  #failures = 0;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
  }

  /**
   * Publishes what a commit has just written, and what was left before it, for at most a second. It never throws: what could not be
   * published is drained by a later commit or the reaper.
   */
  async afterCommit(kind: RecordKind, record: RecordBase, event: RecordEvent): Promise<void> {
    if (this.#isPaused()) return;
    // After a pause one commit finds out for all the others, which do not wait for it.
    if (this.#failures > 0) this.#pause();
    const probes = this.#failures > 0;
    const signal = AbortSignal.timeout(COMMIT_MILLISECONDS);
    const work = async () => {
      if (this.#isPaused() && !probes) return;
      const cursor = await this.#cursorBefore(kind, record.id, event.sequence);
      if (cursor === undefined || cursor.published >= event.sequence) return;
      await this.#publish(kind, record, cursor, signal, event);
    };
    await this.#inTurn(kind, record.id, signal, work).catch(() => undefined);
  }

  /** The ids of the records that have an outbox: those of which something is left to publish are among them. */
  async undrained(kind: RecordKind): Promise<string[]> {
    return await this.#parts.outboxes.list(kind);
  }

  /**
   * Publishes what is left of a record's events, also during a pause.
   * @returns how many were published
   * @throws PubSubError, RecordsError, or the signal's reason; what was published until then stays so
   */
  async drain(kind: RecordKind, id: string, signal: AbortSignal): Promise<number> {
    let published = 0;
    await this.#inTurn(kind, id, signal, async () => {
      const { outboxes, records } = this.#parts;
      const [cursor, record] = await Promise.all([outboxes.read(kind, id), records[kind].read(id)]);
      // Of a record that is gone there is nothing to tell.
      if (record === undefined) await outboxes.remove(kind, id);
      if (cursor === undefined || record === undefined) return;
      published = await this.#publish(kind, record, cursor, signal);
    });
    return published;
  }

  #pause(): void {
    const pause = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MILLISECONDS);
    this.#pausedUntil = this.#parts.now().getTime() + pause;
  }

  #isPaused(): boolean {
    return this.#parts.now().getTime() < this.#pausedUntil;
  }

  /** Runs work once whatever else works on the record is over, or was given up. */
  async #inTurn(kind: RecordKind, id: string, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const key = keyOf(kind, id);
    const before = this.#running.get(key) ?? Promise.resolve();
    const turn = before.then(() => (signal.aborted ? undefined : within(signal, work())));
    // Who comes next waits for its end, not for its success.
    const end = turn.catch(() => undefined);
    this.#running.set(key, end);
    try {
      await within(signal, turn);
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
        // One that failed after others went through was only cut short.
        await this.#send(liveEventOf(kind, record.id, event, this.#parts.accountId), audience, signal, count === 0);
        published = event.sequence;
        count += 1;
      }
      return count;
    } finally {
      await this.#settle(kind, record, cursor, published);
    }
  }

  async #send(event: LiveEvent, audience: Audience, signal: AbortSignal, pauses: boolean): Promise<void> {
    try {
      await within(signal, this.#parts.events.publish(event, audience, signal));
      this.#failures = 0;
      this.#pausedUntil = 0;
    } catch (error) {
      if (pauses) {
        this.#failures += 1;
        this.#pause();
      }
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
    const pipeline = kind === 'pipeline' ? record : await this.#parts.records.pipeline.read(record.id);
    const { owner, readers } = pipeline ?? record;
    return { pipelineId: record.id, owner, readers };
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

function liveEventOf(kind: RecordKind, id: string, event: ToldEvent, accountId: string): LiveEvent {
  const { sequence, at, type, state, reason, evidence } = event;
  return {
    specversion: '1.0',
    id: `${kind}/${id}/${sequence}`,
    source: `/accounts/${accountId}`,
    type: `remoterendering.${kind}.${type}`,
    subject: `/${kind}s/${id}`,
    time: at,
    datacontenttype: 'application/json',
    data: { id, state, sequence, ...(reason !== undefined && { reason }), ...(evidence !== undefined && { evidence }) },
  };
}
