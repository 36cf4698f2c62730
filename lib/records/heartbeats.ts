import type { TableClient } from '@azure/data-tables';
import { recordKeys } from './record-keys.ts';
import { type Heartbeat, heartbeat } from './session-record.ts';
import { readRow, serialise } from './table.ts';

/** The last heartbeat of each session host, beside the session's record: the newest write stands, nothing hangs on the ones before. */
export class Heartbeats {
  readonly #table: TableClient;
  readonly #account: string;

  constructor(table: TableClient, account: string) {
    this.#table = table;
    this.#account = account;
  }

  async write(sessionId: string, last: Heartbeat): Promise<void> {
    const keys = recordKeys('session', this.#account, sessionId);
    await this.#table.upsertEntity(
      { partitionKey: keys.partitionKey, rowKey: keys.beside, document: serialise(last) },
      'Replace',
    );
  }

  async read(sessionId: string): Promise<Heartbeat | undefined> {
    const keys = recordKeys('session', this.#account, sessionId);
    const row = await readRow(this.#table, keys.partitionKey, keys.beside);
    return row && heartbeat.parse(row.document);
  }
}
