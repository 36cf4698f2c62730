import { json, serveAnyone } from '#lib/http';
import { readiness } from '#lib/pipeline';
import { front, servicesOf } from './services.ts';

/** `GET /api/health/ready`: the settings hold, storage and Durable Functions answer. */
serveAnyone('health-ready-get', front, async (_request, context) => {
  const problems = await readiness(() => servicesOf(context));
  for (const problem of problems) context.error('Not ready.', problem.cause);
  return json(problems.length === 0 ? 200 : 503, {
    status: problems.length === 0 ? 'ready' : 'not ready',
    problems: problems.map(({ part }) => part),
  });
});
