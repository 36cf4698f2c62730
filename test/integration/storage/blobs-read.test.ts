import { afterAll, beforeAll, expect, test } from 'vitest';
import { Blobs } from '#lib/storage';
import { startStorage, type TestStorage } from '../../support/stack.ts';

const blob = { container: 'models', name: 'letters/letters.txt' };

let storage: TestStorage;
let blobs: Blobs;
beforeAll(async () => {
  storage = await startStorage();
  blobs = new Blobs({ kind: 'connection-string', connectionString: storage.connectionString }, () => new Date());
  await blobs.prepare(['models']);
  await blobs.writeJson(blob, 'abcdef');
});
afterAll(() => storage.stop());

test.each([
  [0, 4, '"abc'],
  [3, 2, 'cd'],
  [0, 1024, '"abcdef"\n'],
  [6, 1024, 'f"\n'],
  [9, 10, ''],
  [1000, 10, ''],
])('From byte %d on, %d bytes of a blob or as many as there are', async (offset, length, expected) => {
  expect(Buffer.from(await blobs.read(blob, offset, length)).toString()).toBe(expected);
});

test('A blob that is not there is named', async () => {
  const nothing = { container: 'models', name: 'nothing.glb' };
  await expect(blobs.read(nothing, 0, 10)).rejects.toMatchObject({ code: 'blob_missing' });
  await expect(blobs.read(nothing, 0, 10)).rejects.toThrow('nothing.glb');
});
