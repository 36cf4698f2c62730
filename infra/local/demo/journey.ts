import { writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { PipelineWithHistory } from '#lib/api';
import { ClientError, type RemoteRenderingClient } from '#lib/client';
import { DemoError } from './demo-error.ts';
import type { ModelFiles } from './model-files.ts';
import type { LeaseReading } from './progress.ts';

const POLL_MILLISECONDS = 200;
const START_MILLISECONDS = 60_000;
/** Longer than a stack takes to stop when one of its children has ended. */
const PATIENCE_MILLISECONDS = 30_000;
const TERMINAL: ReadonlySet<string> = new Set(['stopped', 'converted', 'failed']);

/** Uploads a model as a client app does: one URL for each file, the model last. @returns its path in the container of models */
export async function upload(
  client: RemoteRenderingClient,
  { files, model }: ModelFiles,
  signal: AbortSignal,
): Promise<string> {
  const declared = files.map(({ name, bytes }) => ({ name, bytes }));
  const { uploadId, files: targets } = await patiently(signal, () => client.createUpload(declared, { signal }));
  for (const file of files) {
    const target = targets.find(({ name }) => name === file.name);
    if (target === undefined) throw new DemoError('no_answer', `The app gave no URL for ${file.name}.`);
    const bytes = new Uint8Array(await file.read());
    await client.uploadFile(target, bytes, { signal });
  }
  return `${uploadId}/${model}`;
}

/** Waits until the upload has started its pipeline. @throws DemoError `no_pipeline` after a minute */
export async function pipelineOf(client: RemoteRenderingClient, model: string, signal: AbortSignal): Promise<string> {
  const deadline = performance.now() + START_MILLISECONDS;
  while (performance.now() < deadline) {
    const pipelines = await patiently(signal, () => client.pipelines({}, { signal }));
    const found = pipelines.find((pipeline) => pipeline.model === model);
    if (found) return found.id;
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
  throw new DemoError('no_pipeline', `The upload of ${model} has started no pipeline within a minute.`);
}

/** Reads the pipeline until it is terminal, and shows each reading. */
export async function follow(
  client: RemoteRenderingClient,
  id: string,
  signal: AbortSignal,
  show: (pipeline: PipelineWithHistory, lease: LeaseReading | null) => void,
): Promise<PipelineWithHistory> {
  for (;;) {
    const pipeline = await patiently(signal, () => client.pipeline(id, { signal }));
    const lease = pipeline.state === 'ready' ? await patiently(signal, () => client.lease(id, { signal })) : null;
    show(pipeline, lease);
    if (TERMINAL.has(pipeline.state)) return pipeline;
    await wait(POLL_MILLISECONDS, undefined, { signal });
  }
}

/** Downloads what the conversion wrote: all of it, or the result alone where it failed. @returns the paths of the files */
export async function download(
  client: RemoteRenderingClient,
  id: string,
  pathOf: (name: string) => string,
): Promise<string[]> {
  const saved: string[] = [];
  for (const file of ['asset', 'info', 'result'] as const) {
    const output = await client.asset(id, file).catch((error: unknown) => {
      if (error instanceof ClientError && error.code === 'no-asset') return undefined;
      throw error;
    });
    if (output === undefined) continue;
    const response = await fetch(output.url);
    if (!response.ok) throw new DemoError('no_answer', `${output.name} could not be read: HTTP ${response.status}.`);
    const path = pathOf(output.name);
    await writeFile(path, new Uint8Array(await response.arrayBuffer()));
    saved.push(path);
  }
  return saved;
}

/**
 * A question that fails now may succeed in a moment: the app is busy, or it has ended and the stack is about to say so by the signal.
 * @throws DemoError `no_answer` where it keeps failing, or was wrong to ask
 */
async function patiently<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      const mayRecover = error instanceof ClientError && (error.status === undefined || error.status >= 500);
      if (!mayRecover || performance.now() > deadline) {
        const said = error instanceof Error ? error.message : String(error);
        throw new DemoError('no_answer', said, { cause: error });
      }
      await wait(POLL_MILLISECONDS, undefined, { signal });
    }
  }
}
