import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { pipelineWithHistory } from '#lib/api';
import { pipelineWithHistoryView } from '#lib/pipeline';
import type { PipelineRecord } from '#lib/records';
import { newConversion, newPipeline, newSession, openRecords, type TestRecords } from '../../support/records.ts';
import { watchRequests } from '../../support/sent-requests.ts';
import { startStorage, type TestStorage } from '../../support/stack.ts';

let storage: TestStorage;
let records: TestRecords;
beforeAll(async () => {
  storage = await startStorage();
});
afterAll(() => storage.stop());
beforeEach(async () => {
  records = await openRecords(storage.connectionString);
});

const ending = { reason: 'user_stop', evidence: 'enough', at: '2026-03-01T12:00:00.000Z' } as const;
const goTo = (state: 'converting' | 'starting' | 'ready') =>
  records.pipelines.update('p', (record) => ({ record: { ...record, state } }));
const stop = () => records.pipelines.update('p', (record) => ({ record: { ...record, state: 'stopped', ending } }));

/** How many histories are read for an answer, and what is in them. */
async function view(record: PipelineRecord) {
  using requests = watchRequests();
  const answer = pipelineWithHistory.parse(await pipelineWithHistoryView(records, record));
  const { history, conversionHistory, sessionHistory } = answer;
  return { reads: requests.count(''), events: [history, conversionHistory, sessionHistory].map((all) => all.length) };
}

test('A pipeline is answered with the events of what it consists of, and reads no others', async () => {
  const { record } = await records.pipelines.create(newPipeline('p'));
  expect(await view(record)).toEqual({ reads: 1, events: [1, 0, 0] });
  const converting = await goTo('converting');
  await records.conversions.create(newConversion('p'));
  expect(await view(converting)).toEqual({ reads: 2, events: [2, 1, 0] });
  const starting = await goTo('starting');
  await records.sessions.create(newSession('p'));
  expect(await view(starting)).toEqual({ reads: 3, events: [3, 1, 1] });
  expect(await view(await goTo('ready'))).toEqual({ reads: 3, events: [4, 1, 1] });
  expect(await view(await stop())).toEqual({ reads: 3, events: [5, 1, 1] });
});

test('One that asked for no session has none to read of, also at its end', async () => {
  const { request } = newPipeline('p');
  await records.pipelines.create(newPipeline('p', { request: { ...request, session: null } }));
  await goTo('converting');
  await records.conversions.create(newConversion('p'));
  expect(await view(await stop())).toEqual({ reads: 2, events: [3, 1, 0] });
});

test('What came after the record was read is not told of the pipeline itself, which would contradict its state', async () => {
  const { record } = await records.pipelines.create(newPipeline('p'));
  await goTo('converting');
  expect(await view(record)).toEqual({ reads: 1, events: [1, 0, 0] });
});
