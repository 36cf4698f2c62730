import type { TableClient, TransactionAction } from '@azure/data-tables';
import { type RecordBase, type RecordDefinition, type RecordEvent, recordEvent } from './record.ts';
import { partitionsOf, type RecordKeys, recordKeys, startsWith } from './record-keys.ts';
import { RecordsError } from './records-error.ts';
import { lostRace, parseRow, readRow, serialise } from './table.ts';

/** As many writers as ever meet at one record (callers, orchestration, reaper) lose far fewer races than this. */
const MAX_RACES = 100;

/** What the store itself keeps in a record. */
type Kept = 'revision' | 'sequence' | 'createdAt' | 'updatedAt';
type Without<R, K extends PropertyKey> = R extends unknown ? Omit<R, K> : never;

export type NewRecord<R extends RecordBase> = Without<R, Kept>;

/** A change to a record: the new document and, where it is not a change of state, the event that tells of it. */
export interface Change<R> {
  readonly record: R;
  readonly event?: { readonly type: Exclude<RecordEvent['type'], 'state'>; readonly evidence: string };
}

/** The records of one kind: created once, changed by compare-and-set, never backwards, each change of state with its event. */
export class RecordStore<R extends RecordBase> {
  readonly #table: TableClient;
  readonly #definition: RecordDefinition<R>;
  readonly #account: string;
  readonly #now: () => Date;

  constructor(table: TableClient, definition: RecordDefinition<R>, account: string, now: () => Date) {
    this.#table = table;
    this.#definition = definition;
    this.#account = account;
    this.#now = now;
  }

  /** Inserts the record if its id is free; else answers with the one that holds it. */
  async create(fresh: NewRecord<R>): Promise<{ readonly record: R; readonly created: boolean }> {
    const at = this.#now().toISOString();
    const record = this.#definition.schema.parse({ ...fresh, revision: 1, sequence: 1, createdAt: at, updatedAt: at });
    const keys = this.#keys(record.id);
    try {
      await this.#table.submitTransaction([
        ['create', row(keys, keys.record, record)],
        ['create', row(keys, keys.event(1), eventOf(record, undefined))],
        ['create', { partitionKey: keys.partitionKey, rowKey: keys.active, id: record.id }],
      ]);
      return { record, created: true };
    } catch (error) {
      if (!lostRace(error)) throw error;
      return { record: await this.get(record.id), created: false };
    }
  }

  async read(id: string): Promise<R | undefined> {
    return (await this.#fetch(this.#keys(id)))?.record;
  }

  /** @throws RecordsError `not_found` */
  async get(id: string): Promise<R> {
    const record = await this.read(id);
    if (record === undefined) throw new RecordsError('not_found', `There is no ${this.#definition.kind} ${id}.`);
    return record;
  }

  /**
   * Changes a record by compare-and-set. `change` sees the record as it is and gives the change, or undefined to leave it; it is
   * asked again whenever another writer was faster, and what it throws is passed on.
   * @returns the record as it now is
   * @throws RecordsError `not_found`, `regression`, `contention`, `too_large`
   */
  async update(id: string, change: (current: R) => Change<R> | undefined): Promise<R> {
    const keys = this.#keys(id);
    for (let race = 0; race < MAX_RACES; race += 1) {
      const current = await this.#fetch(keys);
      if (current === undefined) throw new RecordsError('not_found', `There is no ${this.#definition.kind} ${id}.`);
      const wanted = change(current.record);
      if (wanted === undefined) return current.record;
      const committed = await this.#commit(keys, current.record, current.etag, wanted);
      if (committed !== undefined) return committed;
    }
    throw new RecordsError(
      'contention',
      `The ${this.#definition.kind} ${id} is changed by too many at once; try again.`,
    );
  }

  /** The record's events, oldest first. */
  async history(id: string): Promise<RecordEvent[]> {
    const keys = this.#keys(id);
    const filter = startsWith(keys.partitionKey, keys.event(0).slice(0, -10));
    const events: RecordEvent[] = [];
    for await (const entity of this.#table.listEntities({ queryOptions: { filter } })) {
      events.push(recordEvent.parse(parseRow(entity).document));
    }
    return events;
  }

  /** All records of the kind, oldest first. */
  async list(): Promise<R[]> {
    const parts = await Promise.all(
      partitionsOf(this.#definition.kind).map(async (partition) => {
        const records: R[] = [];
        const entities = this.#table.listEntities({ queryOptions: { filter: startsWith(partition, 'r~') } });
        for await (const entity of entities) records.push(this.#parse(parseRow(entity).document));
        return records;
      }),
    );
    return parts.flat().sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
  }

  /** The records that are not terminal. Costs what is active, not what ever was. */
  async listActive(): Promise<R[]> {
    const records = await Promise.all((await this.listActiveIds()).map((id) => this.read(id)));
    // One may end between the two reads.
    return records.filter((record) => record !== undefined).filter((record) => !this.#definition.isTerminal(record));
  }

  /** The ids of the records that are not terminal, also of those that cannot be read. */
  async listActiveIds(): Promise<string[]> {
    const ids = await Promise.all(partitionsOf(this.#definition.kind).map((partition) => this.#activeIds(partition)));
    return ids.flat();
  }

  async #activeIds(partition: string): Promise<string[]> {
    const ids: string[] = [];
    const entities = this.#table.listEntities<{ id: string }>({
      queryOptions: { filter: startsWith(partition, 'a~') },
    });
    for await (const { id } of entities) ids.push(id);
    return ids;
  }

  async #commit(keys: RecordKeys, current: R, etag: string, wanted: Change<R>): Promise<R | undefined> {
    this.#refuseRegression(current, wanted.record);
    const tells = wanted.record.state !== current.state || wanted.event !== undefined;
    const record = this.#definition.schema.parse({
      ...wanted.record,
      revision: current.revision + 1,
      sequence: current.sequence + (tells ? 1 : 0),
      updatedAt: this.#now().toISOString(),
    });
    const actions: TransactionAction[] = [['update', row(keys, keys.record, record), 'Replace', { etag }]];
    if (tells) {
      const event = wanted.record.state === current.state ? wanted.event : undefined;
      actions.push(['create', row(keys, keys.event(record.sequence), eventOf(record, event))]);
    }
    if (this.#definition.isTerminal(record)) {
      actions.push(['delete', { partitionKey: keys.partitionKey, rowKey: keys.active }]);
    }
    try {
      await this.#table.submitTransaction(actions);
      return record;
    } catch (error) {
      if (lostRace(error)) return undefined;
      throw error;
    }
  }

  #refuseRegression(current: R, next: R): void {
    const { rank, kind } = this.#definition;
    const from: R['state'] = current.state;
    const to: R['state'] = next.state;
    if (this.#definition.isTerminal(current) || rank[to] < rank[from]) {
      throw new RecordsError('regression', `The ${kind} ${current.id} is ${from} and cannot become ${to}.`);
    }
  }

  async #fetch(keys: RecordKeys): Promise<{ readonly record: R; readonly etag: string } | undefined> {
    const found = await readRow(this.#table, keys.partitionKey, keys.record);
    return found && { record: this.#parse(found.document), etag: found.etag };
  }

  #parse(document: unknown): R {
    const parsed = this.#definition.schema.safeParse(document);
    if (parsed.success) return parsed.data;
    throw new RecordsError('unreadable', `A stored ${this.#definition.kind} is not one.`, { cause: parsed.error });
  }

  #keys(id: string): RecordKeys {
    return recordKeys(this.#definition.kind, this.#account, id);
  }
}

function row(keys: RecordKeys, rowKey: string, document: unknown) {
  return { partitionKey: keys.partitionKey, rowKey, document: serialise(document) };
}

function eventOf(record: RecordBase & { readonly ending?: unknown }, event: Change<RecordBase>['event']): RecordEvent {
  const why = recordEvent.pick({ reason: true, evidence: true }).safeParse(record.ending ?? {});
  return {
    sequence: record.sequence,
    at: record.updatedAt,
    type: 'state',
    state: record.state,
    ...(why.success ? why.data : {}),
    ...event,
  };
}
