import { app } from '@azure/functions';
import { preflight } from '#lib/http';
import { front } from './services.ts';

/** `OPTIONS` of every path: tells browsers which origins' pages may call. */
app.http('preflight-options', {
  route: '{*path}',
  methods: ['OPTIONS'],
  authLevel: 'anonymous',
  handler: async (request) => preflight(request, front.allowedOrigins()),
});
