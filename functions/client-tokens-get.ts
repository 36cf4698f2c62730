import { json, serve } from '#lib/http';
import { clientAccessTokenFor } from '#lib/pipeline';
import { plainFront } from './services.ts';

/** `GET /api/v1/auth/clientToken`: the same token in the shape of the Web PubSub AAD design spec. */
serve('client-tokens-get', plainFront, async ({ services, caller, query }) =>
  json(200, { AccessToken: await clientAccessTokenFor(services, caller, query) }),
);
