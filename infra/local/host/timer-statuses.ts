import type { DatabaseSync } from 'node:sqlite';
import type { TimerStatuses } from './timers.ts';

/** Keeps the timers' statuses in the host's database. */
export function createTimerStatuses(database: DatabaseSync): TimerStatuses {
  database.exec(
    'CREATE TABLE IF NOT EXISTS timers (name TEXT PRIMARY KEY, last INTEGER, next INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID',
  );
  const select = database.prepare('SELECT last, next, updated FROM timers WHERE name = ?');
  const upsert = database.prepare('INSERT OR REPLACE INTO timers (name, last, next, updated) VALUES (?, ?, ?, ?)');
  return {
    read: (name) => {
      const row = select.get(name);
      if (!row) return undefined;
      const last = row['last'] === null ? null : Number(row['last']);
      return { last, next: Number(row['next']), updated: Number(row['updated']) };
    },
    write: (name, status) => {
      upsert.run(name, status.last, status.next, status.updated);
    },
  };
}
