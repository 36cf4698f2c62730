import { createHash } from 'node:crypto';
import { z } from 'zod';
import { pipelineBody } from '#lib/api';
import { isModelFile } from '#lib/conversion';
import type { PipelineParts } from './parts.ts';
import { PipelineError } from './pipeline-error.ts';
import { createPipeline } from './pipelines.ts';

/** The part of an Event Grid `Microsoft.Storage.BlobCreated` event that is acted on; the bytes never travel with it. */
const blobCreated = z.object({
  eventType: z.literal('Microsoft.Storage.BlobCreated'),
  subject: z.string(),
  // Event Grid leaves out the quotes that an ETag has everywhere else; a repeat from another source must still be a repeat.
  data: z.object({
    eTag: z
      .string()
      .min(1)
      .transform((eTag) => eTag.replaceAll('"', '')),
  }),
});

/** Nobody in particular: whoever may write to the container of models may have uploaded it. */
const UPLOADS_OWNER = 'system';

export type UploadOutcome =
  | { readonly kind: 'started' | 'known'; readonly pipelineId: string }
  | { readonly kind: 'woke'; readonly pipelineIds: readonly string[] }
  | { readonly kind: 'ignored'; readonly why: string };

/**
 * Acts on a blob that has appeared. A model in a folder starts a pipeline, whose id is the blob's path and ETag: the same event again
 * starts nothing. Any file wakes the pipelines that wait for files of its folder, among them those that were asked for before their model
 * came.
 */
export async function onUpload(parts: PipelineParts, event: unknown): Promise<UploadOutcome> {
  const parsed = blobCreated.safeParse(event);
  if (!parsed.success) return { kind: 'ignored', why: 'it is no BlobCreated event' };
  const path = pathIn(parsed.data.subject, parts.config.MODELS_CONTAINER);
  if (path === undefined)
    return { kind: 'ignored', why: `it is not in the container ${parts.config.MODELS_CONTAINER}` };
  if (!path.includes('/'))
    return { kind: 'ignored', why: `${path} is in no folder; models are uploaded as folder/file` };
  if (!isModelFile(path)) return wakeWaiting(parts, path);
  const started = await start(parts, path, parsed.data.data.eTag);
  // Those that wait look for themselves every few seconds: no failure to wake them may keep a model from its pipeline.
  await wakeWaiting(parts, path, started).catch(() => undefined);
  return started;
}

async function start(parts: PipelineParts, path: string, eTag: string): Promise<UploadOutcome> {
  const id = `blob-${createHash('sha256').update(`${path}\n${eTag}`).digest('hex').slice(0, 40)}`;
  // A setting that has changed since makes no other pipeline of the same blob.
  const known = await parts.pipelines.read(id);
  if (known !== undefined) return { kind: 'known', pipelineId: id };
  const body = pipelineBody.safeParse({ model: path });
  if (!body.success) return { kind: 'ignored', why: `${path} ${body.error.issues[0]?.message ?? 'is no path'}` };
  try {
    const { created } = await createPipeline(parts, id, body.data, UPLOADS_OWNER);
    return { kind: created ? 'started' : 'known', pipelineId: id };
  } catch (error) {
    // The same event again would be refused again: only a failure of ours is worth another delivery.
    if (!(error instanceof PipelineError)) throw error;
    return { kind: 'ignored', why: `${path}: ${error.message}` };
  }
}

async function wakeWaiting(parts: PipelineParts, path: string, started?: UploadOutcome): Promise<UploadOutcome> {
  const own = started !== undefined && 'pipelineId' in started ? started.pipelineId : undefined;
  const waiting = (await parts.pipelines.listActive()).filter(
    ({ id, state, request }) => id !== own && state === 'waiting' && path.startsWith(`${request.model.folder}/`),
  );
  await Promise.all(waiting.map(({ id }) => parts.orchestrations.wake('pipeline', id)));
  return { kind: 'woke', pipelineIds: waiting.map(({ id }) => id) };
}

function pathIn(subject: string, container: string): string | undefined {
  const prefix = `/blobServices/default/containers/${container}/blobs/`;
  return subject.startsWith(prefix) ? subject.slice(prefix.length) : undefined;
}
