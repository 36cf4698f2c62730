import { json, serve } from '#lib/http';
import { getAsset } from '#lib/pipeline';
import { front } from './services.ts';

/** `GET /api/pipelines/{id}/asset`: a URL that reads the converted asset, or one of the documents beside it, for a short time. */
serve('assets-get', front, async ({ services, caller, parameters, query }) =>
  json(200, await getAsset(services, caller, parameters.id, query.file)),
);
