import { conversionSettings } from '#lib/conversion';
import { json, openApiDocument, serveAnyone } from '#lib/http';
import { plainFront } from './services.ts';

let document: object | undefined;

/** `GET /api/openapi.json`: every route, out of the schemas that requests are checked with. */
serveAnyone('openapi-get', plainFront, async () => {
  document ??= openApiDocument({ ConversionSettings: conversionSettings });
  return json(200, document, { 'Cache-Control': 'public, max-age=300', 'Access-Control-Allow-Origin': '*' });
});
