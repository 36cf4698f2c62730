import { json, serve } from '#lib/http';
import { createPipeline, pipelineView, refuseReservedId } from '#lib/pipeline';
import { front } from './services.ts';

/** `PUT /api/pipelines/{id}`: the whole journey as one resource. The same body again answers 200, another body 409. */
serve('pipelines-put', front, async ({ services, caller, parameters: { id }, body }) => {
  refuseReservedId(id);
  const { record, created } = await createPipeline(services, id, body, caller.subject);
  return json(created ? 201 : 200, pipelineView(record), created ? { Location: `/api/pipelines/${id}` } : {});
});
