import type { TableClient } from '@azure/data-tables';
import { z } from 'zod';
import { ACCOUNT, type NewRecord, type RecordDefinition, RecordStore } from '#lib/records';
import { recordBase } from '../../../lib/records/record.ts';

const schema = recordBase.extend({
  state: z.enum(['counting', 'done']),
  /** What writers ask for, and what the step has seen of it. */
  wanted: z.int(),
  applied: z.int(),
  passes: z.int(),
  sleepMilliseconds: z.int(),
  /** So many passes of the step fail before they have done anything. */
  failures: z.int(),
});

export type CounterRecord = z.output<typeof schema>;

const definition: RecordDefinition<CounterRecord> = {
  kind: 'session',
  schema,
  rank: { counting: 1, done: 2 },
  isTerminal: ({ state }) => state === 'done',
};

/** The smallest record that a process can move: the step copies `wanted` to `applied`. */
export function counterStore(table: TableClient): RecordStore<CounterRecord> {
  return new RecordStore(table, definition, ACCOUNT, () => new Date());
}

export function newCounter(id: string, sleepMilliseconds = 60_000) {
  return {
    id,
    owner: 'test',
    readers: [],
    state: 'counting',
    wanted: 0,
    applied: 0,
    passes: 0,
    sleepMilliseconds,
    failures: 0,
  } satisfies NewRecord<CounterRecord>;
}
