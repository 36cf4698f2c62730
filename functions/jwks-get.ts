import { json, serve } from '#lib/http';
import { plainFront } from './services.ts';

/** `GET /.well-known/jwks.json`: the public keys of the Mixed Reality tokens. Not kept for long: a key may be revoked. */
serve('jwks-get', plainFront, async ({ services }) =>
  json(200, { keys: await services.sts.signer.publicKeys() }, { 'Cache-Control': 'public, max-age=60' }),
);
