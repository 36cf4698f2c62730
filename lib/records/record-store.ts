import type { TableClient, TransactionAction } from '@azure/data-tables';
import { newOutbox } from './outbox.ts';
import { type RecordBase, type RecordDefinition, type RecordEvent, recordEvent } from './record.ts';
import { eventsAfter, partitionsOf, type RecordKeys, recordKeys, startsWith } from './record-keys.ts';
import { RecordsError } from './records-error.ts';
import { lostRace, parseRow, readRow, serialise } from './table.ts';

/** As many writers as ever meet at one record (callers, orchestration, reaper) lose far fewer races than this. */
const MAX_RACES = 100;
const CLOCK_SKEW_MILLISECONDS = 300_000;

/** What the store itself keeps in a record. */
type Kept = 'revision' | 'sequence' | 'createdAt' | 'updatedAt';
type Without<R, K extends PropertyKey> = R extends unknown ? Omit<R, K> : never;

export type NewRecord<R extends RecordBase> = Without<R, Kept>;

/** A change to a record: the new document and, where it is not a change of state, the event that tells of it. */
export interface Change<R> {
  readonly record: R;
  readonly event?: Pick<RecordEvent, 'progress'> & {
    readonly type: Exclude<RecordEvent['type'], 'state'>;
    readonly evidence: string;
  };
}

/** Hears of each commit that tells something. The commit stands, whatever it throws; its caller waits for as long as it takes. */
export type AfterCommit<R> = (record: R, event: RecordEvent) => Promise<void>;

/** The records of one kind: created once, changed by compare-and-set, never backwards, each change of state with its event. */
export class RecordStore<R extends RecordBase> {
  readonly #table: TableClient;
  readonly #definition: RecordDefinition<R>;
  readonly #account: string;
  readonly #now: () => Date;
  readonly #afterCommit: AfterCommit<R> | undefined;

  /** @param afterCommit given where events are published: new records have an outbox then, of which it is to be told */
  constructor(
    table: TableClient,
    definition: RecordDefinition<R>,
    account: string,
    now: () => Date,
    afterCommit?: AfterCommit<R>,
  ) {
    this.#table = table;
    this.#definition = definition;
    this.#account = account;
    this.#now = now;
    this.#afterCommit = afterCommit;
  }

  /** Inserts the record if its id is free; else answers with the one that holds it. */
  async create(fresh: NewRecord<R>): Promise<{ readonly record: R; readonly created: boolean }> {
    const at = this.#now().toISOString();
    const record = this.#definition.schema.parse({ ...fresh, revision: 1, sequence: 1, createdAt: at, updatedAt: at });
    const keys = this.#keys(record.id);
    const event = eventOf(record, undefined);
    const actions: TransactionAction[] = [
      ['create', row(keys, keys.record, record)],
      ['create', row(keys, keys.event(1), event)],
      ['create', { partitionKey: keys.partitionKey, rowKey: keys.active, id: record.id }],
    ];
    if (this.#afterCommit !== undefined) actions.push(['create', row(keys, keys.outbox, newOutbox(record.id))]);
    try {
      await this.#table.submitTransaction(actions);
    } catch (error) {
      if (!lostRace(error)) throw error;
      return { record: await this.get(record.id), created: false };
    }
    await this.#tell(record, event);
    return { record, created: true };
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
    return await this.#change(id, (current) => {
      const wanted = change(current);
      if (wanted !== undefined) this.#refuseRegression(current, wanted.record);
      return wanted;
    });
  }

  /**
   * As update, also of a record that is over: for what is no part of its course. No event tells of it.
   * @throws RecordsError as update; `regression` for another state
   */
  async amend(id: string, change: (current: R) => R | undefined): Promise<R> {
    return await this.#change(id, (current) => {
      const record = change(current);
      if (record !== undefined && record.state !== current.state) throw this.#regression(current, record);
      return record && { record };
    });
  }

  async #change(id: string, change: (current: R) => Change<R> | undefined): Promise<R> {
    const keys = this.#keys(id);
    for (let race = 0; race < MAX_RACES; race += 1) {
      const current = await this.#fetch(keys);
      if (current === undefined) throw new RecordsError('not_found', `There is no ${this.#definition.kind} ${id}.`);
      const wanted = change(current.record);
      if (wanted === undefined) return current.record;
      const committed = await this.#commit(keys, current.record, current.etag, wanted);
      if (committed === undefined) continue;
      if (committed.event !== undefined) await this.#tell(committed.record, committed.event);
      return committed.record;
    }
    throw new RecordsError(
      'contention',
      `The ${this.#definition.kind} ${id} is changed by too many at once; try again.`,
    );
  }

  /** The record's events, oldest first: all of them, or those after one. */
  async history(id: string, after = 0): Promise<RecordEvent[]> {
    const filter = eventsAfter(this.#keys(id), after);
    const events: RecordEvent[] = [];
    for await (const entity of this.#table.listEntities({ queryOptions: { filter } })) {
      events.push(recordEvent.parse(parseRow(entity).document));
    }
    return events;
  }

  /** All records of the kind, oldest first. */
  async list(): Promise<R[]> {
    return (await this.#all()).sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
  }

  /** The records that changed last at that time or later. Reads no others. */
  async listChangedSince(time: Date): Promise<R[]> {
    // The table's own clock and ours may differ.
    const written = new Date(time.getTime() - CLOCK_SKEW_MILLISECONDS).toISOString();
    const records = await this.#all(` and Timestamp ge datetime'${written}'`);
    return records.filter(({ updatedAt }) => Date.parse(updatedAt) >= time.getTime());
  }

  async #all(condition = ''): Promise<R[]> {
    const parts = await Promise.all(
      partitionsOf(this.#definition.kind).map(async (partition) => {
        const records: R[] = [];
        const filter = startsWith(partition, 'r~') + condition;
        for await (const entity of this.#table.listEntities({ queryOptions: { filter } })) {
          records.push(this.#parse(parseRow(entity).document));
        }
        return records;
      }),
    );
    return parts.flat();
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

  /** True where nothing follows any more. */
  isTerminal(record: R): boolean {
    return this.#definition.isTerminal(record);
  }

  async #activeIds(partition: string): Promise<string[]> {
    const ids: string[] = [];
    const entities = this.#table.listEntities<{ id: string }>({
      queryOptions: { filter: startsWith(partition, 'a~') },
    });
    for await (const { id } of entities) ids.push(id);
    return ids;
  }

  async #commit(keys: RecordKeys, current: R, etag: string, wanted: Change<R>): Promise<Committed<R> | undefined> {
    const tells = wanted.record.state !== current.state || wanted.event !== undefined;
    const record = this.#definition.schema.parse({
      ...wanted.record,
      revision: current.revision + 1,
      sequence: current.sequence + (tells ? 1 : 0),
      updatedAt: this.#now().toISOString(),
    });
    const actions: TransactionAction[] = [['update', row(keys, keys.record, record), 'Replace', { etag }]];
    const fact = wanted.record.state === current.state ? wanted.event : undefined;
    const event = tells ? eventOf(record, fact) : undefined;
    if (event !== undefined) actions.push(['create', row(keys, keys.event(event.sequence), event)]);
    if (this.#definition.isTerminal(record) && !this.#definition.isTerminal(current)) {
      actions.push(['delete', { partitionKey: keys.partitionKey, rowKey: keys.active }]);
    }
    try {
      await this.#table.submitTransaction(actions);
      return { record, event };
    } catch (error) {
      if (lostRace(error)) return undefined;
      throw error;
    }
  }

  async #tell(record: R, event: RecordEvent): Promise<void> {
    await this.#afterCommit?.(record, event).catch(() => undefined);
  }

  #refuseRegression(current: R, next: R): void {
    const { rank } = this.#definition;
    const from: R['state'] = current.state;
    const to: R['state'] = next.state;
    if (this.#definition.isTerminal(current) || rank[to] < rank[from]) throw this.#regression(current, next);
  }

  #regression({ id, state }: R, next: R): RecordsError {
    return new RecordsError(
      'regression',
      `The ${this.#definition.kind} ${id} is ${state} and cannot become ${next.state}.`,
    );
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

interface Committed<R> {
  readonly record: R;
  readonly event: RecordEvent | undefined;
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
