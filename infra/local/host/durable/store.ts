import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { HistoryEvent } from './history.ts';

export type RuntimeStatus = 'Pending' | 'Running' | 'Suspended' | 'Completed' | 'Failed' | 'Terminated';

export interface Instance {
  readonly id: string;
  readonly name: string;
  /** Changes with every start and every continueAsNew: what was meant for an older execution is dropped. */
  readonly execution: string;
  readonly status: RuntimeStatus;
  /** JSON texts; output is plain text for Failed and Terminated. */
  readonly input: string | null;
  readonly customStatus: string | null;
  readonly output: string | null;
  /** In ms since 1970. */
  readonly created: number;
  readonly updated: number;
  /** JSON text: the events that continueAsNew carries into the execution that has not begun yet. */
  readonly carried: string;
}

export interface Message {
  readonly seq: number;
  readonly execution: string | null;
  readonly event: HistoryEvent;
}

export interface QueuedActivity {
  readonly instance: string;
  readonly execution: string;
  readonly task: number;
  readonly name: string;
  /** JSON text, or null for none. */
  readonly input: string | null;
}

export interface InstanceFilter {
  readonly prefix?: string | undefined;
  /** In ms since 1970, inclusive. */
  readonly createdFrom?: number | undefined;
  readonly createdTo?: number | undefined;
  readonly statuses?: readonly string[] | undefined;
}

export const liveStatuses: ReadonlySet<RuntimeStatus> = new Set(['Pending', 'Running', 'Suspended']);

const schema = `
  CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, execution TEXT NOT NULL, status TEXT NOT NULL, input TEXT, custom_status TEXT, output TEXT,
    created INTEGER NOT NULL, updated INTEGER NOT NULL, carried TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS history (
    instance TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (instance, seq)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, execution TEXT, due INTEGER NOT NULL, event TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS inbox_by_instance ON inbox (instance, due);
  CREATE INDEX IF NOT EXISTS inbox_by_due ON inbox (due);
  CREATE TABLE IF NOT EXISTS activities (
    instance TEXT NOT NULL, execution TEXT NOT NULL, task INTEGER NOT NULL, name TEXT NOT NULL, input TEXT,
    PRIMARY KEY (instance, execution, task)) WITHOUT ROWID;
`;

/**
 * The tables of the durable half. On a database in WAL mode with synchronous NORMAL a commit survives the death of the process at any
 * moment; the last ones before a power cut may be lost. `transaction` makes several calls one.
 */
export class DurableStore {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(schema);
  }

  transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk ends the transaction by itself; a second end would hide the cause.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  instance(id: string): Instance | undefined {
    const row = this.#prepared('SELECT * FROM instances WHERE id = ?').get(id);
    return row && toInstance(row);
  }

  instances(filter: InstanceFilter): Instance[] {
    const rows = this.#prepared(
      'SELECT * FROM instances WHERE created >= ? AND created <= ? AND substr(id, 1, length(?)) = ? ORDER BY id',
    ).all(
      filter.createdFrom ?? 0,
      filter.createdTo ?? Number.MAX_SAFE_INTEGER,
      filter.prefix ?? '',
      filter.prefix ?? '',
    );
    const statuses = filter.statuses;
    return rows.map(toInstance).filter((each) => !statuses || statuses.includes(each.status));
  }

  writeInstance(instance: Instance): void {
    this.#prepared(
      'INSERT OR REPLACE INTO instances (id, name, execution, status, input, custom_status, output, created, updated, carried) ' +
        'VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ).run(
      instance.id,
      instance.name,
      instance.execution,
      instance.status,
      instance.input,
      instance.customStatus,
      instance.output,
      instance.created,
      instance.updated,
      instance.carried,
    );
  }

  /** Removes all of an instance but its own row: what is open, and its history. */
  clear(id: string): void {
    for (const table of ['history', 'inbox', 'activities']) {
      this.#prepared(`DELETE FROM ${table} WHERE instance = ?`).run(id);
    }
  }

  /** Removes an execution's history and what only it could use; events for the instance stay. */
  clearExecution(id: string, execution: string): void {
    this.#prepared('DELETE FROM history WHERE instance = ?').run(id);
    this.#prepared('DELETE FROM activities WHERE instance = ?').run(id);
    this.#prepared('DELETE FROM inbox WHERE instance = ? AND execution = ?').run(id, execution);
  }

  deleteInstance(id: string): void {
    this.clear(id);
    this.#prepared('DELETE FROM instances WHERE id = ?').run(id);
  }

  history(id: string): HistoryEvent[] {
    const rows = this.#prepared('SELECT event FROM history WHERE instance = ? ORDER BY seq').all(id);
    return rows.map((row) => parseEvent(row['event']));
  }

  appendHistory(id: string, firstSeq: number, events: readonly HistoryEvent[]): void {
    const insert = this.#prepared('INSERT INTO history (instance, seq, event) VALUES (?, ?, ?)');
    for (const [index, event] of events.entries()) insert.run(id, firstSeq + index, JSON.stringify(event));
  }

  /** `execution` null addresses whatever execution there is; `due` in ms since 1970, 0 for now. */
  post(id: string, execution: string | null, due: number, event: HistoryEvent): void {
    this.#prepared('INSERT INTO inbox (instance, execution, due, event) VALUES (?, ?, ?, ?)').run(
      id,
      execution,
      due,
      JSON.stringify(event),
    );
  }

  /** Messages for the instance that are due, oldest first. */
  dueMessages(id: string, now: number): Message[] {
    const rows = this.#prepared(
      'SELECT seq, execution, event FROM inbox WHERE instance = ? AND due <= ? ORDER BY seq',
    ).all(id, now);
    return rows.map((row) => ({
      seq: Number(row['seq']),
      execution: row['execution'] === null ? null : String(row['execution']),
      event: parseEvent(row['event']),
    }));
  }

  removeMessages(messages: readonly Message[]): void {
    const remove = this.#prepared('DELETE FROM inbox WHERE seq = ?');
    for (const { seq } of messages) remove.run(seq);
  }

  /** Ids of instances with due messages. */
  dueInstances(now: number): string[] {
    const rows = this.#prepared('SELECT DISTINCT instance FROM inbox WHERE due <= ?').all(now);
    return rows.map((row) => String(row['instance']));
  }

  /** When the next timer after `now` is due, in ms since 1970. */
  nextDue(now: number): number | undefined {
    const row = this.#prepared('SELECT min(due) AS due FROM inbox WHERE due > ?').get(now);
    return typeof row?.['due'] === 'number' ? row['due'] : undefined;
  }

  enqueue(activity: QueuedActivity): void {
    this.#prepared('INSERT INTO activities (instance, execution, task, name, input) VALUES (?, ?, ?, ?, ?)').run(
      activity.instance,
      activity.execution,
      activity.task,
      activity.name,
      activity.input,
    );
  }

  /** True when the activity was still wanted. */
  dequeue(activity: QueuedActivity): boolean {
    const { changes } = this.#prepared('DELETE FROM activities WHERE instance = ? AND execution = ? AND task = ?').run(
      activity.instance,
      activity.execution,
      activity.task,
    );
    return changes > 0;
  }

  isQueued(activity: QueuedActivity): boolean {
    const query = 'SELECT 1 FROM activities WHERE instance = ? AND execution = ? AND task = ?';
    return this.#prepared(query).get(activity.instance, activity.execution, activity.task) !== undefined;
  }

  queuedActivities(): QueuedActivity[] {
    return this.#prepared('SELECT * FROM activities')
      .all()
      .map((row) => ({
        instance: String(row['instance']),
        execution: String(row['execution']),
        task: Number(row['task']),
        name: String(row['name']),
        input: nullableText(row['input']),
      }));
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

type Row = Record<string, SQLOutputValue>;

const statuses: readonly RuntimeStatus[] = ['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated'];

function toInstance(row: Row): Instance {
  const status = statuses.find((each) => each === row['status']);
  if (!status) throw new Error(`Instance ${row['id']} has the unknown status ${row['status']}.`);
  return {
    id: String(row['id']),
    name: String(row['name']),
    execution: String(row['execution']),
    status,
    input: nullableText(row['input']),
    customStatus: nullableText(row['custom_status']),
    output: nullableText(row['output']),
    created: Number(row['created']),
    updated: Number(row['updated']),
    carried: String(row['carried']),
  };
}

function nullableText(value: SQLOutputValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** Written by this class only: the text needs no second check. */
function parseEvent(text: SQLOutputValue | undefined): HistoryEvent {
  return JSON.parse(String(text));
}
