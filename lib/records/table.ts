import { RestError, TableClient } from '@azure/data-tables';
import { z } from 'zod';
import type { StorageAccess } from '#lib/identity';
import { RecordsError } from './records-error.ts';

/** A property of Table storage holds at most 32,768 UTF-16 characters (64 KiB). */
const MAX_DOCUMENT_LENGTH = 32_768;

const TABLE = 'records';

const keyedRow = z.object({ rowKey: z.string() });
const documentRow = keyedRow.extend({ etag: z.string(), document: z.string() });

export interface DocumentRow {
  readonly rowKey: string;
  readonly etag: string;
  readonly document: unknown;
}

/** Opens the table of records; it need not be there yet. */
export function openTable(storage: StorageAccess): TableClient {
  if (storage.kind === 'identity') return new TableClient(storage.tableServiceUri, TABLE, storage.credential);
  return TableClient.fromConnectionString(storage.connectionString, TABLE, {
    allowInsecureConnection: /UseDevelopmentStorage|Protocol=http;/i.test(storage.connectionString),
  });
}

/** Reads one row, undefined where there is none. */
export async function readRow(table: TableClient, partition: string, row: string): Promise<DocumentRow | undefined> {
  try {
    return parseRow(await table.getEntity(partition, row));
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** @throws RecordsError `unreadable` */
export function parseRow(entity: unknown): DocumentRow {
  const { rowKey } = keyedRow.parse(entity);
  try {
    const row = documentRow.parse(entity);
    return { ...row, document: JSON.parse(row.document) as unknown };
  } catch (cause) {
    throw new RecordsError('unreadable', `The row ${rowKey} holds no JSON document.`, { cause });
  }
}

/** The text of a document for its row. @throws RecordsError `too_large` */
export function serialise(document: unknown): string {
  const text = JSON.stringify(document);
  if (text.length > MAX_DOCUMENT_LENGTH) {
    throw new RecordsError(
      'too_large',
      `A document of ${text.length} characters is over the ${MAX_DOCUMENT_LENGTH} of a row.`,
    );
  }
  return text;
}

/** True where a write lost a race: stale ETag (412), or the row exists (409). */
export function lostRace(error: unknown): boolean {
  const status = statusOf(error);
  return status === 409 || status === 412;
}

/** The HTTP status of a refusal by storage. Azurite leaves `code` empty, so only the status tells. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}
