import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { type RunningChild, startChild } from '../../../infra/local/child-process.ts';
import { startStorage, type TemporaryDirectory, type TestStorage, temporaryDirectory } from '../../support/stack.ts';

const eventsOf = z.array(
  z.looseObject({ id: z.string(), subject: z.string(), data: z.looseObject({ eTag: z.string() }) }),
);
const within = { timeout: 10_000, interval: 50 };

let storage: TestStorage;
let directory: TemporaryDirectory;
const children: RunningChild[] = [];
/** Every test has a container and a state file of its own in the one storage account. */
let number = 0;

beforeAll(async () => {
  [storage, directory] = await Promise.all([startStorage(), temporaryDirectory()]);
});
afterAll(async () => {
  await storage.stop();
  await directory.remove();
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop(2000)));
  number += 1;
});

async function startApp(port = 0, systemKey?: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const child = await startChild({
    name: 'App',
    program: fileURLToPath(new URL('../../support/stub-host.ts', import.meta.url)),
    options: { port, systemKey, environment: {} },
    startMilliseconds: 10_000,
  });
  children.push(child);
  return { url: child.endpoints['app'] ?? '', stop: () => child.stop(2000) };
}

const stateFile = () => join(directory.path, `blob-events-${number}.json`);

async function startBlobEvents(
  app: string,
  systemKey?: string,
): Promise<{ readonly models: ContainerClient; stop(): Promise<void> }> {
  const child = await startChild({
    name: 'Blob events',
    program: fileURLToPath(new URL('../../../infra/local/blob-events.ts', import.meta.url)),
    options: {
      connectionString: storage.connectionString,
      app,
      stateFile: stateFile(),
      containers: { models: `models-${number}`, assets: `assets-${number}` },
      functionName: 'model-on-uploaded',
    },
    ...(systemKey !== undefined && { secretOptions: { systemKey } }),
    startMilliseconds: 10_000,
  });
  children.push(child);
  const service = BlobServiceClient.fromConnectionString(storage.connectionString);
  return { models: service.getContainerClient(`models-${number}`), stop: () => child.stop(2000) };
}

async function upload(models: ContainerClient, path: string, content: string): Promise<string> {
  const { etag } = await models
    .getBlockBlobClient(path)
    .upload(content, content.length, { blobHTTPHeaders: { blobContentType: 'model/gltf-binary' } });
  return (etag ?? '').replaceAll('"', '');
}

async function received(app: string): Promise<z.output<typeof eventsOf>> {
  return eventsOf.parse(await (await fetch(`${app}/received`)).json());
}

test('Both containers are there, and an uploaded blob is announced as Azure announces it', async () => {
  const app = await startApp();
  const { models } = await startBlobEvents(app.url);
  const eTag = await upload(models, 'duck/big duck.glb', 'quack');
  await vi.waitFor(async () => expect(await received(app.url)).toHaveLength(1), within);
  expect(await received(app.url)).toMatchObject([
    {
      eventType: 'Microsoft.Storage.BlobCreated',
      subject: `/blobServices/default/containers/models-${number}/blobs/duck/big duck.glb`,
      eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      dataVersion: '',
      metadataVersion: '1',
      data: {
        api: 'PutBlob',
        contentType: 'model/gltf-binary',
        contentLength: 5,
        blobType: 'BlockBlob',
        url: models.getBlobClient('duck/big duck.glb').url,
        eTag,
      },
    },
  ]);
  const assets = BlobServiceClient.fromConnectionString(storage.connectionString).getContainerClient(
    `assets-${number}`,
  );
  expect(await assets.exists()).toBe(true);
});

test('A host that asks for a key is shown it', async () => {
  const systemKey = 'a&key=of?the host';
  const app = await startApp(0, systemKey);
  const { models } = await startBlobEvents(app.url, systemKey);
  await upload(models, 'duck/duck.glb', 'quack');
  await vi.waitFor(async () => expect(await received(app.url)).toHaveLength(1), within);
});

test('A blob that is uploaded while the app is down is announced when it is up', async () => {
  const gone = await startApp();
  await gone.stop();
  const { models } = await startBlobEvents(gone.url);
  await upload(models, 'duck/duck.glb', 'quack');
  const app = await startApp(Number(new URL(gone.url).port));
  await vi.waitFor(async () => expect(await received(app.url)).toHaveLength(1), within);
});

test('An overwritten blob is a new event; what was acknowledged is not announced again after a restart', async () => {
  const app = await startApp();
  const first = await startBlobEvents(app.url);
  const eTags = [await upload(first.models, 'duck/duck.glb', 'one')];
  await vi.waitFor(async () => expect(await readFile(stateFile(), 'utf8')).toContain(eTags[0]), within);
  await first.stop();

  eTags.push(await upload(first.models, 'duck/duck.glb', 'two'));
  await startBlobEvents(app.url);
  await vi.waitFor(async () => expect(await readFile(stateFile(), 'utf8')).toContain(eTags[1]), within);
  const events = await received(app.url);
  expect(events.map((event) => event.data.eTag)).toEqual(eTags);
  expect(new Set(events.map((event) => event.id)).size).toBe(2);
});
