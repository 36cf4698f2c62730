import type { InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { json } from '#lib/http';
import { readiness } from '#lib/pipeline';
import { servicesOf } from './services.ts';

/** `GET /api/health/ready`: the settings hold, storage and Durable Functions answer. */
async function readReady(context: InvocationContext) {
  const problems = await readiness(() => servicesOf(context));
  for (const problem of problems) context.error('Not ready.', problem.cause);
  return json(problems.length === 0 ? 200 : 503, {
    status: problems.length === 0 ? 'ready' : 'not ready',
    problems: problems.map(({ part }) => part),
  });
}

df.app.client.http('health-ready-get', {
  route: 'api/health/ready',
  methods: ['GET'],
  handler: (_request, _client, context) => readReady(context),
});
