import { json, serve } from '#lib/http';
import { stsTokenFor } from '#lib/pipeline';
import { plainFront } from './services.ts';

/** `POST /api/tokens/sts`: a Mixed Reality access token for the caller, never with a wider role than the caller's own. */
serve('sts-tokens-post', plainFront, async ({ services, caller, body }) =>
  json(200, await stsTokenFor(services, caller, body.role)),
);
