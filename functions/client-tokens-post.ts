import { json, serve } from '#lib/http';
import { clientTokenFor } from '#lib/pipeline';
import { plainFront } from './services.ts';

/** `POST /api/tokens/client`: a Web PubSub client token for the caller, in the groups of what the caller may read. */
serve('client-tokens-post', plainFront, async ({ services, caller, body }) =>
  json(200, await clientTokenFor(services, caller, body)),
);
