import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ACCOUNT,
  Outboxes,
  type PipelineRecord,
  pipelineDefinition,
  type RecordEvent,
  RecordStore,
} from '#lib/records';
import { newPipeline, newSession, openRecords, type TestRecords } from '../../support/records.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';

let storage: TestStorage;
let records: TestRecords;
let outboxes: Outboxes;
/** What the store told of, in order. */
let told: { readonly record: PipelineRecord; readonly event: RecordEvent }[];
let pipelines: RecordStore<PipelineRecord>;

beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  records = await openRecords(storage.connectionString);
  outboxes = new Outboxes(records.table, ACCOUNT);
  told = [];
  pipelines = storeThatTells(async (record, event) => {
    told.push({ record, event });
  });
});

function storeThatTells(afterCommit: (record: PipelineRecord, event: RecordEvent) => Promise<void>) {
  return new RecordStore(records.table, pipelineDefinition, ACCOUNT, records.clock.now, afterCommit);
}

const convert = (store = pipelines) =>
  store.update('p', (current) =>
    current.state === 'waiting' ? { record: { ...current, state: 'converting' } } : undefined,
  );
const rowKeys = async () => {
  const keys: string[] = [];
  for await (const { rowKey = '' } of records.table.listEntities()) keys.push(rowKey.slice(0, 2));
  return keys.sort();
};

describe('what a store tells of its commits', () => {
  test('is the creation and every event, with the record as it was committed', async () => {
    const { record: created } = await pipelines.create(newPipeline('p'));
    const converting = await convert();
    const asked = await pipelines.update('p', (record) => ({ record, event: { type: 'stop_asked', evidence: 'so' } }));
    expect(told).toEqual([
      { record: created, event: { sequence: 1, at: created.createdAt, type: 'state', state: 'waiting' } },
      { record: converting, event: { sequence: 2, at: converting.updatedAt, type: 'state', state: 'converting' } },
      {
        record: asked,
        event: { sequence: 3, at: asked.updatedAt, type: 'stop_asked', state: 'converting', evidence: 'so' },
      },
    ]);
    expect(told.map(({ event }) => event)).toEqual(await pipelines.history('p'));
  });

  test('is nothing of a change without an event, of none, and of a creation that found the id taken', async () => {
    await pipelines.create(newPipeline('p'));
    await pipelines.create(newPipeline('p'));
    await pipelines.update('p', (current) => ({ record: { ...current, missingFiles: ['a.bin'] } }));
    await pipelines.update('p', () => undefined);
    expect(told).toHaveLength(1);
  });

  test('is each event once, of thirty writers at once', async () => {
    await pipelines.create(newPipeline('p'));
    const tell = (number: number) =>
      pipelines.update('p', (record) => ({ record, event: { type: 'asset', evidence: `${number}` } }));
    await Promise.all(Array.from({ length: 30 }, (_, number) => tell(number)));
    const sequences = told.map(({ event }) => event.sequence).sort((one, other) => one - other);
    expect(sequences).toEqual(Array.from({ length: 31 }, (_, index) => index + 1));
  });

  test('is waited for', async () => {
    const heard = Promise.withResolvers<void>();
    let answered = false;
    const creating = storeThatTells(() => heard.promise).create(newPipeline('p'));
    void creating.then(() => (answered = true));
    await expect.poll(() => records.pipelines.read('p')).toBeDefined();
    expect(answered).toBe(false);
    heard.resolve();
    expect((await creating).created).toBe(true);
  });

  test('cannot undo the commit: what the listener throws is nobody else’s', async () => {
    const deaf = storeThatTells(() => Promise.reject(new Error('no ear for it')));
    expect((await deaf.create(newPipeline('p'))).created).toBe(true);
    expect((await convert(deaf)).state).toBe('converting');
    expect(await records.pipelines.history('p')).toHaveLength(2);
  });
});

describe('an outbox', () => {
  test('comes with the record, in its transaction, and knows nothing as published', async () => {
    await pipelines.create(newPipeline('p'));
    expect(await rowKeys()).toEqual(['a~', 'e~', 'o~', 'r~']);
    expect(await outboxes.read('pipeline', 'p')).toMatchObject({ published: 0 });
    expect(await outboxes.list('pipeline')).toEqual(['p']);
    expect(await outboxes.list('session')).toEqual([]);
  });

  test('is not there where nobody is told, nor does a later commit bring it', async () => {
    await records.pipelines.create(newPipeline('p'));
    expect(await rowKeys()).toEqual(['a~', 'e~', 'r~']);
    await convert();
    expect(told).toHaveLength(1);
    expect(await outboxes.read('pipeline', 'p')).toBeUndefined();
    expect(await outboxes.list('pipeline')).toEqual([]);
  });

  test('of eight creations at once is one', async () => {
    await Promise.all(Array.from({ length: 8 }, () => pipelines.create(newPipeline('p'))));
    expect((await rowKeys()).filter((key) => key === 'o~')).toHaveLength(1);
    expect(told).toHaveLength(1);
  });

  test('outlives its record’s end, until it is removed; removed twice is removed', async () => {
    await pipelines.create(newPipeline('p'));
    const ending = { reason: 'user_stop', evidence: '', at: records.clock.now().toISOString() } as const;
    await pipelines.update('p', (current) => ({ record: { ...current, state: 'stopped', ending } }));
    expect(await rowKeys()).toEqual(['e~', 'e~', 'o~', 'r~']);
    await outboxes.remove('pipeline', 'p');
    await outboxes.remove('pipeline', 'p');
    expect(await outboxes.list('pipeline')).toEqual([]);
    expect(await outboxes.read('pipeline', 'p')).toBeUndefined();
  });

  test('lists are by kind, whichever partition holds a row', async () => {
    const ids = Array.from({ length: 24 }, (_, number) => `pipeline-${number}`);
    await Promise.all(ids.map((id) => pipelines.create(newPipeline(id))));
    await records.sessions.create(newSession('s'));
    expect((await outboxes.list('pipeline')).sort()).toEqual(ids.sort());
    await outboxes.advance('pipeline', 'pipeline-7', 1);
    const published = await outboxes.published('pipeline');
    expect([published.size, published.get('pipeline-7'), published.get('pipeline-8')]).toEqual([24, 1, 0]);
  });
});

describe('the cursor', () => {
  beforeEach(async () => {
    await pipelines.create(newPipeline('p'));
  });

  test('moves with the ETag that was seen, and gives the next', async () => {
    const first = await outboxes.advance('pipeline', 'p', 1);
    const second = await outboxes.advance('pipeline', 'p', 2, first?.etag);
    expect(second).toEqual(await outboxes.read('pipeline', 'p'));
    expect(second?.published).toBe(2);
    expect(second?.etag).not.toBe(first?.etag);
  });

  test('moves on from where another has moved it meanwhile, and never back', async () => {
    const seen = await outboxes.read('pipeline', 'p');
    await outboxes.advance('pipeline', 'p', 5);
    expect(await outboxes.advance('pipeline', 'p', 3, seen?.etag)).toMatchObject({ published: 5 });
    expect(await outboxes.advance('pipeline', 'p', 7, seen?.etag)).toMatchObject({ published: 7 });
    expect(await outboxes.read('pipeline', 'p')).toMatchObject({ published: 7 });
  });

  test('is not made where there is none, or none any more', async () => {
    const seen = await outboxes.read('pipeline', 'p');
    await outboxes.remove('pipeline', 'p');
    expect(await outboxes.advance('pipeline', 'p', 1, seen?.etag)).toBeUndefined();
    expect(await outboxes.advance('pipeline', 'p', 1)).toBeUndefined();
    expect(await outboxes.advance('pipeline', 'nobody', 1)).toBeUndefined();
    expect(await outboxes.list('pipeline')).toEqual([]);
  });

  test('stands at the largest of whatever movers at once wanted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 12 }), async (wanted) => {
        const before = (await outboxes.read('pipeline', 'p'))?.published ?? 0;
        const moved = await Promise.all(wanted.map((to) => outboxes.advance('pipeline', 'p', to)));
        for (const [index, to] of wanted.entries()) expect(moved[index]?.published).toBeGreaterThanOrEqual(to);
        expect((await outboxes.read('pipeline', 'p'))?.published).toBe(Math.max(before, ...wanted));
      }),
      { numRuns: 10 },
    );
  });
});

test('a history can be read from any event on', async () => {
  await pipelines.create(newPipeline('p'));
  await pipelines.create(newPipeline('other'));
  for (let count = 0; count < 12; count += 1) {
    await pipelines.update('p', (record) => ({ record, event: { type: 'asset', evidence: '' } }));
  }
  const sequencesAfter = async (after: number) => (await pipelines.history('p', after)).map(({ sequence }) => sequence);
  expect(await sequencesAfter(0)).toHaveLength(13);
  expect(await sequencesAfter(9)).toEqual([10, 11, 12, 13]);
  expect(await sequencesAfter(13)).toEqual([]);
});
