import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import { connectionString } from '../storage-account.ts';
import type { StackEndpoints } from '../supervisor.ts';
import { DemoError } from './demo-error.ts';
import type { ModelFiles } from './model-files.ts';
import type { LeaseReading } from './progress.ts';
import { type PipelineAnswer, pipelineAnswer } from './report.ts';

const POLL_MILLISECONDS = 200;
const START_MILLISECONDS = 60_000;
/** Longer than a stack takes to stop when one of its children has ended. */
const PATIENCE_MILLISECONDS = 30_000;
const TERMINAL: ReadonlySet<string> = new Set(['stopped', 'converted', 'failed']);

const leaseAnswer = z.object({ maxLeaseSeconds: z.number(), remainingSeconds: z.number().nullable() });
const listAnswer = z.object({ pipelines: z.array(z.object({ id: z.string(), model: z.string() })) });

/** Uploads a model to its folder as an artist would: one blob for each file, the model last. */
export async function upload(
  endpoints: StackEndpoints,
  container: string,
  folder: string,
  { files }: ModelFiles,
  abortSignal: AbortSignal,
): Promise<void> {
  const client = BlobServiceClient.fromConnectionString(connectionString(endpoints)).getContainerClient(container);
  for (const file of files) {
    const blob = client.getBlockBlobClient(`${folder}/${file.name}`);
    await blob.uploadData(Buffer.from(await file.read()), { abortSignal });
  }
}

/** Waits until the upload has started its pipeline. @throws DemoError `no_pipeline` after a minute */
export async function pipelineOf(endpoints: StackEndpoints, model: string, signal: AbortSignal): Promise<string> {
  const deadline = performance.now() + START_MILLISECONDS;
  while (performance.now() < deadline) {
    const { pipelines } = listAnswer.parse(await read(`${endpoints.app}/api/pipelines`, signal));
    const found = pipelines.find((pipeline) => pipeline.model === model);
    if (found) return found.id;
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
  throw new DemoError('no_pipeline', `The upload of ${model} has started no pipeline within a minute.`);
}

/** Reads the pipeline until it is terminal, and shows each reading. */
export async function follow(
  endpoints: StackEndpoints,
  id: string,
  signal: AbortSignal,
  show: (pipeline: PipelineAnswer, lease: LeaseReading | null) => void,
): Promise<PipelineAnswer> {
  for (;;) {
    const pipeline = pipelineAnswer.parse(await read(`${endpoints.app}/api/pipelines/${id}`, signal));
    const lease = pipeline.state === 'ready' ? await leaseOf(endpoints, id, signal) : null;
    show(pipeline, lease);
    if (TERMINAL.has(pipeline.state)) return pipeline;
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}

/** Downloads what the conversion wrote to a folder. */
export async function download(
  endpoints: StackEndpoints,
  container: string,
  prefix: string,
  save: (name: string) => string,
) {
  const client = BlobServiceClient.fromConnectionString(connectionString(endpoints)).getContainerClient(container);
  const saved: string[] = [];
  for await (const { name } of client.listBlobsFlat({ prefix })) {
    const path = save(name.slice(prefix.length));
    await client.getBlockBlobClient(name).downloadToFile(path);
    saved.push(path);
  }
  return saved;
}

async function leaseOf(endpoints: StackEndpoints, id: string, signal: AbortSignal): Promise<LeaseReading> {
  return leaseAnswer.parse(await read(`${endpoints.app}/api/pipelines/${id}/lease`, signal));
}

/**
 * A reading that fails now may succeed in a moment: the app is busy, or it has ended and the stack is about to say so by the signal.
 * @throws DemoError `no_answer` where it keeps failing, or was wrong to ask
 */
async function read(url: string, signal: AbortSignal): Promise<unknown> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const failure = await fetch(url, { signal }).then(
      async (response) => (response.ok ? { body: await response.json() } : { response }),
      (cause: unknown) => ({ cause }),
    );
    if ('body' in failure) return failure.body;
    signal.throwIfAborted();
    const mayRecover = 'cause' in failure || failure.response.status >= 500;
    if (!mayRecover || performance.now() > deadline) {
      const answer = 'cause' in failure ? String(failure.cause) : `${failure.response.status}`;
      throw new DemoError('no_answer', `GET ${url} failed: ${answer}.`);
    }
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}
