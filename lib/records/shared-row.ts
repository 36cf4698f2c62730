import type { TableClient } from '@azure/data-tables';
import type { z } from 'zod';
import { RecordsError } from './records-error.ts';
import { lostRace, readRow, serialise } from './table.ts';

const MAX_RACES = 100;

/**
 * Changes one row that many share, by compare-and-set; `change` sees the document, undefined where there is none yet, and gives the
 * new one, or undefined to leave it.
 * @returns the document as it now is
 * @throws RecordsError `contention`
 */
export async function changeSharedRow<T>(
  table: TableClient,
  key: { readonly partitionKey: string; readonly rowKey: string },
  schema: z.ZodType<T>,
  change: (current: T | undefined) => T | undefined,
): Promise<T | undefined> {
  for (let race = 0; race < MAX_RACES; race += 1) {
    const row = await readRow(table, key.partitionKey, key.rowKey);
    const current = row && schema.parse(row.document);
    const next = change(current);
    if (next === undefined) return current;
    const entity = { ...key, document: serialise(next) };
    try {
      if (row === undefined) await table.createEntity(entity);
      else await table.updateEntity(entity, 'Replace', { etag: row.etag });
      return next;
    } catch (error) {
      if (!lostRace(error)) throw error;
    }
  }
  throw new RecordsError('contention', `The row ${key.rowKey} is changed by too many at once; try again.`);
}
