import { routes } from '#lib/api';
import { readHeaders, serve } from '#lib/http';
import { welcome } from '#lib/pipeline';
import { plainFront } from './services.ts';

/** While Web PubSub is lost, many fail for the same reason. */
const FAILURES_IN_LOG = 5;

/** `POST /api/web-pubsub/events`: Web PubSub has a new connection, which is told the present states. Nothing of that fails the event. */
serve('web-pubsub-events', plainFront, async ({ services, request, context }) => {
  const failures = await welcome(services, readHeaders(request, routes['web-pubsub-events'].headers));
  if (failures.length > 0) {
    const told = failures.slice(0, FAILURES_IN_LOG).join('; ');
    context.error(`New connections were not told ${failures.length} present states: ${told}`);
  }
  return { status: 204 };
});
