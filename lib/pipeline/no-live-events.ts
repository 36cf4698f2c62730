import { ProblemError } from '#lib/http';

/** The app has nobody to tell live what happens, or to hear from who connects. */
export function noLiveEvents(): ProblemError {
  return new ProblemError({
    status: 503,
    type: 'no-live-events',
    title: 'There are no live events',
    detail: 'No Web PubSub is configured: the operator must set WEB_PUBSUB_ENDPOINT or WEB_PUBSUB_CONNECTION_STRING.',
  });
}
