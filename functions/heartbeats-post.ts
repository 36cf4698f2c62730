import type { HttpRequest, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import { bearerOf, json, readBody, respond } from '#lib/http';
import { explain } from '#lib/pipeline';
import { heartbeatRequest, receiveHeartbeat } from '#lib/rendering';
import { servicesOf } from './services.ts';

/** `POST /api/sessions/{id}/heartbeats`: the session host says how it is, and is told how long it may run and what to show. */
function postHeartbeat(request: HttpRequest, context: InvocationContext) {
  return respond(request, context, explain, async () => {
    const services = await servicesOf(context);
    const hear = () => readBody(request, heartbeatRequest);
    return json(200, await receiveHeartbeat(services, request.params['id'] ?? '', bearerOf(request), hear));
  });
}

df.app.client.http('heartbeats-post', {
  route: 'api/sessions/{id}/heartbeats',
  methods: ['POST'],
  handler: (request, _client, context) => postHeartbeat(request, context),
});
