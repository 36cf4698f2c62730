import { routes } from '#lib/api';
import { bearerOf, json, readBody, serve } from '#lib/http';
import { receiveHeartbeat } from '#lib/rendering';
import { front } from './services.ts';

/** `POST /api/sessions/{id}/heartbeats`: the session host says how it is, and is told how long it may run and what to show. */
serve('heartbeats-post', front, async ({ services, parameters, request }) => {
  const hear = () => readBody(request, routes['heartbeats-post'].body);
  return json(200, await receiveHeartbeat(services, parameters.id, bearerOf(request), hear));
});
