import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import { startStorage, temporaryDirectory } from '../../support/stack.ts';

const rowsOf = (connection: string) =>
  TableClient.fromConnectionString(connection, 'rows', {
    allowInsecureConnection: true,
    retryOptions: { maxRetries: 0 },
  });
const blobsOf = (connection: string) =>
  BlobServiceClient.fromConnectionString(connection, { retryOptions: { maxTries: 1 } }).getContainerClient('blobs');

test('Every acknowledged row and blob is there after a SIGKILL right behind the acknowledgements', async () => {
  await using directory = await temporaryDirectory();
  const acknowledged = { rows: new Set<string>(), blobs: new Set<string>() };
  await using first = await startStorage(directory.path);
  const rows = rowsOf(first.connectionString);
  const blobs = blobsOf(first.connectionString);
  await Promise.all([rows.createTable(), blobs.create()]);

  let killed = false;
  const writeUntilKilled = async (worker: number) => {
    for (let number = 0; !killed; number += 1) {
      const name = `${worker}-${number}`;
      await rows.createEntity({ partitionKey: 'p', rowKey: name, text: 'x'.repeat(200) });
      acknowledged.rows.add(name);
      await blobs.getBlockBlobClient(name).upload(name, name.length);
      acknowledged.blobs.add(name);
      if (acknowledged.blobs.size < 40 || killed) continue;
      killed = true;
      process.kill(-first.child.pid, 'SIGKILL');
    }
  };
  await Promise.allSettled([1, 2, 3, 4].map(writeUntilKilled));
  await first.child.ended;

  await using second = await startStorage(directory.path);
  const found = { rows: new Set<string>(), blobs: new Set<string>() };
  for await (const row of rowsOf(second.connectionString).listEntities()) found.rows.add(row.rowKey ?? '');
  for await (const blob of blobsOf(second.connectionString).listBlobsFlat()) {
    const content = await blobsOf(second.connectionString).getBlobClient(blob.name).downloadToBuffer();
    expect(content.toString()).toBe(blob.name);
    found.blobs.add(blob.name);
  }
  expect(acknowledged.blobs.size).toBeGreaterThanOrEqual(40);
  expect([...acknowledged.rows].filter((name) => !found.rows.has(name))).toEqual([]);
  expect([...acknowledged.blobs].filter((name) => !found.blobs.has(name))).toEqual([]);
});
