import { afterAll, beforeAll, expect, test } from 'vitest';
import { ACCOUNT, conversionDefinition, openTable, RecordStore } from '#lib/records';
import { newConversion } from '../../support/records.ts';
import { type SecureTestStorage, startSecureStorage, storageCredential } from '../../support/stack.ts';

let storage: SecureTestStorage;
beforeAll(async () => {
  storage = await startSecureStorage();
  await openTable(storage.access).createTable();
});
afterAll(() => storage.stop());

const conversions = (access = storage.access) =>
  new RecordStore(openTable(access), conversionDefinition, ACCOUNT, () => new Date());

test('Records live in a table that is opened by identity: created once, changed by compare-and-set, with their events', async () => {
  const { created } = await conversions().create(newConversion('c'));
  expect(created).toBe(true);
  const writers = Array.from({ length: 8 }, () => conversions());
  await Promise.all(
    writers.map((store) => store.update('c', (record) => ({ record: { ...record, attempts: record.attempts + 1 } }))),
  );
  await conversions().update('c', (record) =>
    record.state === 'not_started' ? { record: { ...record, state: 'running' } } : undefined,
  );
  expect(await conversions().get('c')).toMatchObject({ attempts: 8, state: 'running', revision: 10 });
  expect((await conversions().history('c')).map(({ state }) => state)).toEqual(['not_started', 'running']);
  expect(await conversions().listActiveIds()).toEqual(['c']);
});

test('They are the same that the connection string opens, and the address may end with a slash', async () => {
  const { connectionString, access } = storage;
  await conversions().create(newConversion('same'));
  const byKey = openTable({ kind: 'connection-string', connectionString });
  const store = new RecordStore(byKey, conversionDefinition, ACCOUNT, () => new Date());
  expect(await store.get('same')).toMatchObject({ id: 'same' });
  const slashed = conversions({ ...access, tableServiceUri: `${access.tableServiceUri}/` });
  expect(await slashed.get('same')).toMatchObject({ id: 'same' });
});

test('A token for something else than storage opens nothing', async () => {
  const credential = await storageCredential({ audience: 'https://webpubsub.azure.com' });
  await expect(conversions({ ...storage.access, credential }).get('c')).rejects.toMatchObject({ statusCode: 403 });
});
