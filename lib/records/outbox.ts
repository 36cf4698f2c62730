import type { TableClient } from '@azure/data-tables';
import { z } from 'zod';
import type { RecordKind } from './record.ts';
import { partitionsOf, type RecordKeys, recordKeys, startsWith } from './record-keys.ts';
import { RecordsError } from './records-error.ts';
import { lostRace, parseRow, readRow, serialise, statusOf } from './table.ts';

const MAX_RACES = 100;

const outbox = z.object({ id: z.string(), published: z.int().nonnegative() });
type Outbox = z.output<typeof outbox>;

/** How far a record's events are published: up to this sequence number. `etag` is that of the row, where it was seen. */
export interface OutboxCursor {
  readonly published: number;
  readonly etag?: string;
}

/** What the row of a new record holds. */
export function newOutbox(id: string): Outbox {
  return { id, published: 0 };
}

/**
 * How far the events of each record are published: one row beside the record, from its creation until it is terminal and all is told.
 * A record without one has nothing to be published.
 */
export class Outboxes {
  readonly #table: TableClient;
  readonly #account: string;

  constructor(table: TableClient, account: string) {
    this.#table = table;
    this.#account = account;
  }

  async read(kind: RecordKind, id: string): Promise<OutboxCursor | undefined> {
    return await this.#fetch(this.#keys(kind, id));
  }

  /**
   * Moves the cursor by compare-and-set, never back.
   * @param etag the row's as it was last seen; without it the row is read first
   * @returns the cursor as it now is, undefined where there is none any more
   * @throws RecordsError `contention`
   */
  async advance(kind: RecordKind, id: string, published: number, etag?: string): Promise<OutboxCursor | undefined> {
    const keys = this.#keys(kind, id);
    const next: Outbox = { id, published };
    if (etag !== undefined) {
      const moved = await this.#write(keys, next, etag);
      if (moved !== undefined) return moved;
    }
    for (let race = 0; race < MAX_RACES; race += 1) {
      const current = await this.#fetch(keys);
      if (current === undefined || current.published >= published) return current;
      const moved = await this.#write(keys, next, current.etag);
      if (moved !== undefined) return moved;
    }
    throw new RecordsError('contention', `The outbox of the ${kind} ${id} is moved by too many at once; try again.`);
  }

  /** Takes the row away, once everything of a terminal record is published. */
  async remove(kind: RecordKind, id: string): Promise<void> {
    const { partitionKey, outbox: rowKey } = this.#keys(kind, id);
    await this.#table.deleteEntity(partitionKey, rowKey).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
  }

  /** The ids of the records of a kind whose events are published: those that are not terminal, and those of which something is left to tell. */
  async list(kind: RecordKind): Promise<string[]> {
    return [...(await this.published(kind)).keys()];
  }

  /** How far the events of each of these records are published, by id. */
  async published(kind: RecordKind): Promise<ReadonlyMap<string, number>> {
    const outboxes = await Promise.all(partitionsOf(kind).map((partition) => this.#outboxesIn(partition)));
    return new Map(outboxes.flat().map(({ id, published }) => [id, published]));
  }

  async #outboxesIn(partition: string): Promise<Outbox[]> {
    const outboxes: Outbox[] = [];
    const rows = this.#table.listEntities({ queryOptions: { filter: startsWith(partition, 'o~') } });
    for await (const row of rows) outboxes.push(outbox.parse(parseRow(row).document));
    return outboxes;
  }

  /** @returns undefined where the row is another by now, or gone */
  async #write(keys: RecordKeys, next: Outbox, etag: string): Promise<OutboxCursor | undefined> {
    const entity = { partitionKey: keys.partitionKey, rowKey: keys.outbox, document: serialise(next) };
    try {
      const written = await this.#table.updateEntity(entity, 'Replace', { etag });
      return { published: next.published, ...(written.etag !== undefined && { etag: written.etag }) };
    } catch (error) {
      if (statusOf(error) === 404 || lostRace(error)) return undefined;
      throw error;
    }
  }

  async #fetch(keys: RecordKeys): Promise<(OutboxCursor & { readonly etag: string }) | undefined> {
    const row = await readRow(this.#table, keys.partitionKey, keys.outbox);
    return row && { published: outbox.parse(row.document).published, etag: row.etag };
  }

  #keys(kind: RecordKind, id: string): RecordKeys {
    return recordKeys(kind, this.#account, id);
  }
}
