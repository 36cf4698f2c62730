import { setTimeout as wait } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { z } from 'zod';
import { connectionString } from '../storage-account.ts';
import type { StackEndpoints } from '../supervisor.ts';
import type { ModelFiles } from './model-files.ts';
import { type PipelineAnswer, pipelineAnswer } from './report.ts';

const POLL_MILLISECONDS = 200;
const TERMINAL: ReadonlySet<string> = new Set(['stopped', 'converted', 'failed']);

const listAnswer = z.object({ pipelines: z.array(z.object({ id: z.string(), model: z.string() })) });

/** Uploads a model to its folder as an artist would: one blob for each file, the model last. */
export async function upload(endpoints: StackEndpoints, container: string, folder: string, { files }: ModelFiles) {
  const client = BlobServiceClient.fromConnectionString(connectionString(endpoints)).getContainerClient(container);
  for (const file of files) {
    await client.getBlockBlobClient(`${folder}/${file.name}`).uploadData(Buffer.from(await file.read()));
  }
}

/** Waits until the upload has started its pipeline. */
export async function pipelineOf(endpoints: StackEndpoints, model: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    const { pipelines } = listAnswer.parse(await read(`${endpoints.app}/api/pipelines`, signal));
    const found = pipelines.find((pipeline) => pipeline.model === model);
    if (found) return found.id;
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}

/** Reads the pipeline until it is terminal, and shows each reading. */
export async function follow(
  endpoints: StackEndpoints,
  id: string,
  signal: AbortSignal,
  show: (pipeline: PipelineAnswer, remainingSeconds: number | null) => void,
): Promise<PipelineAnswer> {
  for (;;) {
    const pipeline = pipelineAnswer.parse(await read(`${endpoints.app}/api/pipelines/${id}`, signal));
    const lease = pipeline.state === 'ready' ? await remaining(endpoints, id, signal) : null;
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

async function remaining(endpoints: StackEndpoints, id: string, signal: AbortSignal): Promise<number | null> {
  const lease = z.object({ remainingSeconds: z.number().nullable() });
  return lease.parse(await read(`${endpoints.app}/api/pipelines/${id}/lease`, signal)).remainingSeconds;
}

async function read(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`GET ${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
