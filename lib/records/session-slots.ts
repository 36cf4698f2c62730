import type { TableClient } from '@azure/data-tables';
import { z } from 'zod';
import { changeSharedRow } from './shared-row.ts';

const KEY = { partitionKey: 'slots', rowKey: 'sessions' };
const slots = z.object({ holders: z.array(z.string()) });

/** The places for sessions that may have a machine at the same time, in one row that is changed by compare-and-set. */
export class SessionSlots {
  readonly #table: TableClient;
  readonly #capacity: number;

  constructor(table: TableClient, capacity: number) {
    this.#table = table;
    this.#capacity = capacity;
  }

  /** True if the session holds a slot now, from this call or an earlier one; false where all are taken. */
  async claim(sessionId: string): Promise<boolean> {
    const now = await changeSharedRow(this.#table, KEY, slots, (current = { holders: [] }) =>
      current.holders.includes(sessionId) || current.holders.length >= this.#capacity
        ? undefined
        : { holders: [...current.holders, sessionId] },
    );
    return now?.holders.includes(sessionId) ?? false;
  }

  /** Gives a slot back; nothing happens where the session holds none. */
  async release(sessionId: string): Promise<void> {
    await changeSharedRow(this.#table, KEY, slots, (current) =>
      current?.holders.includes(sessionId)
        ? { holders: current.holders.filter((holder) => holder !== sessionId) }
        : undefined,
    );
  }

  async holders(): Promise<readonly string[]> {
    const now = await changeSharedRow(this.#table, KEY, slots, () => undefined);
    return now?.holders ?? [];
  }
}
