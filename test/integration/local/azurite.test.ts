import { TableClient } from '@azure/data-tables';
import { BlobSASPermissions, BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { expect, test } from 'vitest';
import {
  startSecureStorage,
  startStorage,
  storageCredential,
  type TestStorage,
  temporaryDirectory,
} from '../../support/stack.ts';

interface Clients {
  readonly rows: TableClient;
  readonly blobs: ContainerClient;
}

const oneTry = { retryOptions: { maxTries: 1 } };

async function overHttp(directory: string): Promise<TestStorage & { clients(): Clients }> {
  const storage = await startStorage(directory);
  const clients = () => byKey(storage);
  return { ...storage, clients };
}

async function overHttpsWithTokens(directory: string): Promise<TestStorage & { clients(): Clients }> {
  const storage = await startSecureStorage(directory);
  const clients = () => ({
    rows: new TableClient(storage.endpoints.table, 'rows', storage.access.credential, {
      retryOptions: { maxRetries: 0 },
    }),
    blobs: new BlobServiceClient(storage.endpoints.blob, storage.access.credential, oneTry).getContainerClient('blobs'),
  });
  return { ...storage, clients };
}

function byKey({ connectionString }: TestStorage): Clients {
  return {
    rows: TableClient.fromConnectionString(connectionString, 'rows', {
      allowInsecureConnection: true,
      retryOptions: { maxRetries: 0 },
    }),
    blobs: BlobServiceClient.fromConnectionString(connectionString, oneTry).getContainerClient('blobs'),
  };
}

test.each([
  ['HTTP', overHttp],
  ['HTTPS', overHttpsWithTokens],
])(
  'Over %s every acknowledged row and blob is there after a SIGKILL right behind the acknowledgements',
  async (_scheme, start) => {
    await using directory = await temporaryDirectory();
    const acknowledged = { rows: new Set<string>(), blobs: new Set<string>() };
    await using first = await start(directory.path);
    const { rows, blobs } = first.clients();
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

    await using second = await start(directory.path);
    const kept = second.clients();
    const found = { rows: new Set<string>(), blobs: new Set<string>() };
    for await (const row of kept.rows.listEntities()) found.rows.add(row.rowKey ?? '');
    for await (const blob of kept.blobs.listBlobsFlat()) {
      expect((await kept.blobs.getBlobClient(blob.name).downloadToBuffer()).toString()).toBe(blob.name);
      found.blobs.add(blob.name);
    }
    expect(acknowledged.blobs.size).toBeGreaterThanOrEqual(40);
    expect([...acknowledged.rows].filter((name) => !found.rows.has(name))).toEqual([]);
    expect([...acknowledged.blobs].filter((name) => !found.blobs.has(name))).toEqual([]);
  },
);

test('Over HTTPS it takes the key of the account too, and refuses a token whose issuer is not of Microsoft Entra', async () => {
  await using storage = await startSecureStorage();
  const { rows, blobs } = byKey(storage);
  await Promise.all([rows.createTable(), blobs.create()]);
  expect(await blobs.exists()).toBe(true);

  const credential = await storageCredential({ issuer: 'https://localhost/' });
  const strangers = new BlobServiceClient(storage.endpoints.blob, credential, oneTry).getContainerClient('blobs');
  await expect(strangers.getProperties()).rejects.toMatchObject({ statusCode: 403 });
});

test('A read URL that is signed with a user-delegation key reads its one blob, and nothing once it is changed', async () => {
  await using storage = await startSecureStorage();
  const service = new BlobServiceClient(storage.endpoints.blob, storage.access.credential, oneTry);
  const container = service.getContainerClient('blobs');
  await container.create();
  await Promise.all(['mine', 'theirs'].map((name) => container.getBlockBlobClient(name).upload(name, name.length)));

  const [startsOn, expiresOn] = [new Date(Date.now() - 60_000), new Date(Date.now() + 60_000)];
  const key = await service.getUserDelegationKey(startsOn, expiresOn);
  const permissions = BlobSASPermissions.from({ read: true });
  const url = await container
    .getBlobClient('mine')
    .generateUserDelegationSasUrl({ permissions, startsOn, expiresOn }, key);
  expect(await (await fetch(url)).text()).toBe('mine');
  expect((await fetch(url.replace('/mine?', '/theirs?'))).status).toBe(403);
});
