import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { z } from 'zod';
import { blobCreated, type ListedBlob } from './blob-created.ts';
import { type ChildService, childOptions, runAsChild } from './child.ts';
import { createDelivery } from './event-delivery.ts';
import { readJson, writeJson } from './json-file.ts';
import { sharedSave } from './shared-save.ts';

const options = z.object({
  /** With the emulator's published key: Event Grid, which this stands for, needs no identity to know of a blob. */
  connectionString: z.string(),
  /** Base URL of the app's host, without a slash at its end. */
  app: z.url(),
  /** The host's key for its webhooks, where it asks for one. */
  systemKey: z.string().optional(),
  /** Absolute path of the file that remembers what was acknowledged. */
  stateFile: z.string(),
  /** Made where they are missing; blobs of `models` are announced. */
  containers: z.object({ models: z.string(), assets: z.string() }),
  /** The function whose Event Grid webhook is called. */
  functionName: z.string(),
});
const state = z.object({ acknowledged: z.record(z.string(), z.string()) });

const everyMilliseconds = 1000;
const smallListing = 1000;
const answerWithinMilliseconds = 60_000;

/** Stands in for Event Grid, which no emulator offers: announces every blob that a listing of the models' container shows. */
await runAsChild(() => startBlobEvents(childOptions(options)));

async function startBlobEvents(given: z.output<typeof options>): Promise<ChildService> {
  const service = BlobServiceClient.fromConnectionString(given.connectionString);
  const models = service.getContainerClient(given.containers.models);
  await Promise.all([
    models.createIfNotExists(),
    service.getContainerClient(given.containers.assets).createIfNotExists(),
  ]);

  const stopping = new AbortController();
  const known = new Map(Object.entries((await readJson(given.stateFile, state))?.acknowledged ?? {}));
  let acknowledged: ReadonlyMap<string, string> = known;
  const save = sharedSave(() => writeJson(given.stateFile, { acknowledged: Object.fromEntries(acknowledged) }));
  const delivery = createDelivery({
    acknowledged: known,
    now: () => performance.now(),
    post: (blob) => post(given, blob, stopping.signal),
    save: (latest) => {
      acknowledged = latest;
      return save();
    },
    onFailure: (blob, error, pause) =>
      process.stderr.write(
        `${blob.path} could not be announced, trying again in ${pause / 1000} s: ${reasonOf(error)}\n`,
      ),
  });

  const listing = listUntil(models, stopping.signal, delivery.offer);
  return {
    endpoints: {},
    async stop() {
      stopping.abort();
      await listing;
      await delivery.stop();
    },
  };
}

async function listUntil(
  container: ContainerClient,
  signal: AbortSignal,
  onListing: (blobs: readonly ListedBlob[]) => void,
): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now();
    let count = 0;
    try {
      const blobs = await list(container, signal);
      count = blobs.length;
      onListing(blobs);
    } catch (error) {
      if (!signal.aborted) process.stderr.write(`The models could not be listed: ${reasonOf(error)}\n`);
    }
    // A long listing keeps the storage busy: it may take a tenth of its time at most.
    const rest = count <= smallListing ? 0 : 10 * (performance.now() - began);
    await wait(Math.max(everyMilliseconds, rest), undefined, { signal }).catch(() => undefined);
  }
}

async function list(container: ContainerClient, abortSignal: AbortSignal): Promise<ListedBlob[]> {
  const blobs: ListedBlob[] = [];
  for await (const { name, properties } of container.listBlobsFlat({ abortSignal })) {
    blobs.push({
      container: container.containerName,
      path: name,
      url: container.getBlobClient(name).url,
      eTag: properties.etag.replaceAll('"', ''),
      contentType: properties.contentType ?? 'application/octet-stream',
      bytes: properties.contentLength ?? 0,
      lastModified: properties.lastModified,
    });
  }
  return blobs;
}

async function post(
  { app, systemKey, functionName }: z.output<typeof options>,
  blob: ListedBlob,
  stopping: AbortSignal,
): Promise<void> {
  const query = new URLSearchParams({ functionName, ...(systemKey !== undefined && { code: systemKey }) });
  const response = await fetch(`${app}/runtime/webhooks/EventGrid?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'aeg-event-type': 'Notification' },
    body: JSON.stringify([blobCreated(blob)]),
    signal: AbortSignal.any([stopping, AbortSignal.timeout(answerWithinMilliseconds)]),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the app answered ${response.status}`);
}

/** A failed fetch says why only in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
