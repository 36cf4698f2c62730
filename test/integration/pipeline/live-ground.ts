import { ACCOUNT, Outboxes, type PipelineRecord, type RecordKind, Revocations } from '#lib/records';
import type { Live } from '../../../lib/pipeline/live-events-connections.ts';
import { openRecords as openLiveRecords } from '../../../lib/pipeline/live-events-records.ts';
import { recordKeys } from '../../../lib/records/record-keys.ts';
import { FakeLiveEvents } from '../../support/fake-live-events.ts';
import { newPipeline, openRecords, testConfig } from '../../support/records.ts';

/** The records of one app over real tables, whose Web PubSub the test moves; `process` opens them as another process has them. */
export async function openLive(connectionString: string, settings: Readonly<Record<string, string>> = {}) {
  const quiet = await openRecords(connectionString);
  const { table, clock } = quiet;
  const config = testConfig(connectionString, settings);
  const events = new FakeLiveEvents();
  const revocations = new Revocations(table, clock.now);
  const process = () => {
    const { live, ...records } = openLiveRecords(table, config, clock.now, events, revocations);
    if (live === undefined) throw new Error('there are no live events');
    return { ...records, live };
  };
  return {
    ...quiet,
    ...process(),
    quiet,
    process,
    config,
    events,
    revocations,
    outboxes: new Outboxes(table, ACCOUNT),
    now: clock.now,
  };
}

export type LiveGround = Awaited<ReturnType<typeof openLive>>;

/** Tells something of the pipeline, as often as that; the numbers are in the evidence. */
export async function tell({ pipelines }: Pick<LiveGround, 'pipelines'>, id: string, times = 1): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    await pipelines.update(id, (record) => ({ record, event: { type: 'asset', evidence: `${record.sequence + 1}` } }));
  }
}

/** A pipeline with so many events. */
export async function pipelineWith(ground: Pick<LiveGround, 'pipelines'>, id: string, events: number): Promise<void> {
  await ground.pipelines.create(newPipeline(id));
  await tell(ground, id, events - 1);
}

/** Ends a pipeline. */
export async function end({ pipelines }: Pick<LiveGround, 'pipelines'>, id: string): Promise<PipelineRecord> {
  const ending = { reason: 'user_stop', evidence: 'enough', at: '2026-03-01T12:00:00.000Z' } as const;
  return await pipelines.update(id, (current) => ({ record: { ...current, state: 'stopped', ending } }));
}

/** Leaves a pipeline's record unreadable. */
export async function spoil({ table }: Pick<LiveGround, 'table'>, id: string): Promise<void> {
  const { partitionKey, record: rowKey } = recordKeys('pipeline', ACCOUNT, id);
  await table.updateEntity({ partitionKey, rowKey, document: '{}' }, 'Replace');
}

/** Drains one record as the reaper does. @returns how many were published */
export function drain({ live }: { readonly live: Live }, kind: RecordKind, id: string): Promise<number> {
  return live.feed.drain(kind, id, AbortSignal.timeout(10_000));
}

/** Whole numbers from one to another. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}

/** The numbers in the order in which they came first: what is left to a client that drops what it has, and what came before. */
export function firsts(sequences: readonly number[]): number[] {
  return [...new Set(sequences)];
}
