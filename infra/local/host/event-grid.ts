import { z } from 'zod';
import type { FunctionIndex, IndexedFunction } from './function-index.ts';
import { messageOf } from './host-error.ts';
import type { HostLog } from './host-log.ts';
import { type Endpoint, type HostRequest, sendEmpty, sendJson } from './http-server.ts';
import type { Invoker } from './invoker.ts';

const validation = z.array(z.object({ data: z.object({ validationCode: z.string() }) })).min(1);
const deliveredEvent = z.record(z.string(), z.unknown());
/** An array is Event Grid's own schema, one object is a CloudEvent. */
const notification = z.union([z.array(deliveredEvent), deliveredEvent.transform((event) => [event])]);

/**
 * The Event Grid extension's webhook: 202 once every event's function has run, 500 with the reason as soon as one failed, so that the
 * sender delivers again; 404 for a function that is none; the validation handshake; 400 for the rest.
 */
export function eventGridWebhook(index: FunctionIndex, invoker: Invoker, log: HostLog): Endpoint {
  return async (request) => {
    if (request.url.pathname.toLowerCase() !== '/runtime/webhooks/eventgrid') return false;
    const name = request.url.searchParams.get('functionName') ?? '';
    const target = [...index.eventGrid.values()].find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (!target) sendText(request, 404, `cannot find function: '${name}'`);
    else await receive(request, target, invoker, log);
    return true;
  };
}

async function receive(request: HostRequest, target: IndexedFunction, invoker: Invoker, log: HostLog): Promise<void> {
  const type = String(request.message.headers['aeg-event-type'] ?? '').toLowerCase();
  const origin = request.message.headers['webhook-request-origin'];
  if (request.message.method === 'OPTIONS' && typeof origin === 'string') {
    request.response.setHeader('webhook-allowed-origin', origin);
    request.response.writeHead(200, { 'content-length': 0 }).end();
  } else if (type === 'subscriptionvalidation') {
    const parsed = validation.safeParse(parseJson(request.body));
    const code = parsed.data?.[0]?.data.validationCode;
    if (code === undefined) sendText(request, 400, 'The validation event has no data.validationCode.');
    else sendJson(request.response, 200, { validationResponse: code });
  } else if (type === 'notification') {
    await deliver(request, target, invoker, log);
  } else {
    sendEmpty(request.response, type === 'unsubscribe' ? 202 : 400);
  }
}

async function deliver(request: HostRequest, target: IndexedFunction, invoker: Invoker, log: HostLog): Promise<void> {
  const events = notification.safeParse(parseJson(request.body));
  if (!events.success) return sendText(request, 400, 'The body is neither an array of events nor a CloudEvent.');
  const runs = events.data.map((event) => invoker.invoke(target, { json: JSON.stringify(event) }));
  const failed = (await Promise.allSettled(runs)).filter((run) => run.status === 'rejected');
  for (const { reason } of failed)
    log('error', target.name, reason instanceof Error ? (reason.stack ?? reason.message) : messageOf(reason));
  if (failed.length > 0) sendText(request, 500, `Exception while executing function: ${target.name}`);
  else sendEmpty(request.response, 202);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function sendText(request: HostRequest, status: number, text: string): void {
  request.response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
}
