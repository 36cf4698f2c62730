import { randomUUID } from 'node:crypto';
import { json, serve } from '#lib/http';
import { createPipeline, idOfIdempotencyKey, pipelineView } from '#lib/pipeline';
import { front } from './services.ts';

/** `POST /api/pipelines`: as PUT, under an id of ours. The same Idempotency-Key again answers with the same pipeline. */
serve('pipelines-post', front, async ({ services, caller, body, request }) => {
  const key = request.headers.get('idempotency-key');
  const id = key !== null ? idOfIdempotencyKey(caller.subject, key) : randomUUID();
  const { record, created } = await createPipeline(services, id, body, caller.subject);
  return json(created ? 201 : 200, pipelineView(record), { Location: `/api/pipelines/${id}` });
});
