import type { IndexedFunction } from '../function-index.ts';
import { type Endpoint, type HostRequest, sendEmpty, sendJson } from '../http-server.ts';
import { type ManagementDoor, managementLinks, rpcPathOf, webhookPath } from './client-binding.ts';
import type { Instances, OrderResult } from './instances.ts';
import { isTrue, readFilter, readJson, statusOf } from './management-format.ts';
import { liveStatuses } from './store.ts';

export interface ManagementParts {
  readonly instances: Instances;
  readonly orchestrators: ReadonlyMap<string, IndexedFunction>;
  readonly door: ManagementDoor;
  readonly newId: () => string;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

const notFound: Reply = { status: 404 };

/** The Durable Functions HTTP API, as far as DurableClient uses it. */
export function managementApi(parts: ManagementParts): Endpoint {
  const prefixes = [webhookPath, rpcPathOf(parts.door)];
  return async (request) => {
    const path = request.url.pathname;
    const prefix = prefixes.find((each) => path.toLowerCase().startsWith(each.toLowerCase()));
    if (prefix === undefined) return false;
    const segments = path.slice(prefix.length).split('/');
    const { status, body, headers } = reply(parts, request, segments.filter((part) => part !== '').map(decode));
    if (body === undefined) sendEmpty(request.response, status);
    else sendJson(request.response, status, body, headers);
    return true;
  };
}

function reply(parts: ManagementParts, request: HostRequest, [collection, ...rest]: readonly string[]): Reply {
  switch (collection?.toLowerCase()) {
    case 'orchestrators':
      return start(parts, request, rest);
    case 'instances':
      return rest.length === 0 ? manyInstances(parts.instances, request) : oneInstance(parts, request, rest);
    case 'entities':
      return problem(501, 'The embedded host does not serve entities.');
    default:
      return notFound;
  }
}

function start(parts: ManagementParts, request: HostRequest, [name, id, ...rest]: readonly string[]): Reply {
  if (request.message.method !== 'POST' || name === undefined || rest.length > 0) return notFound;
  const { instances, orchestrators, newId } = parts;
  if (!orchestrators.has(name)) {
    const known = [...orchestrators.keys()].join(', ') || 'none';
    return problem(400, `The function '${name}' doesn't exist, or is not an orchestrator. Known: ${known}.`);
  }
  if (id !== undefined && !isInstanceId(id)) {
    return problem(
      400,
      'An instance id has at most 256 characters, no / \\ # ? or control characters, and no @ in front.',
    );
  }
  const input = readJson(request.body);
  if (input === 'bad') return problem(400, 'The input is not JSON.');
  const instanceId = id ?? newId().replaceAll('-', '');
  if (instances.start(name, instanceId, input) === 'refused') {
    return problem(500, `An Orchestration instance with the ID ${instanceId} already exists and is not at its end.`);
  }
  const { rewindPostUri: _notInThisAnswer, ...body } = managementLinks(parts.door, instanceId);
  return { status: 202, body, headers: { location: body['statusQueryGetUri'] ?? '', 'retry-after': '10' } };
}

function manyInstances(instances: Instances, request: HostRequest): Reply {
  const { method } = request.message;
  const filter = readFilter(request.url);
  if (filter === 'bad') return problem(400, 'createdTimeFrom and createdTimeTo must be ISO 8601 times.');
  if (method === 'GET') {
    const showInput = isTrue(request.url.searchParams.get('showInput'));
    const body = instances.list(filter).map((instance) => statusOf(instance, showInput));
    // One page holds all: the empty token says that nothing follows.
    return { status: 200, body, headers: { 'x-ms-continuation-token': '' } };
  }
  if (method !== 'DELETE') return notFound;
  if (filter.createdFrom === undefined) return problem(400, 'Please provide a value for createdTimeFrom.');
  const instancesDeleted = instances.purge(filter);
  return instancesDeleted === 0 ? notFound : { status: 200, body: { instancesDeleted } };
}

function oneInstance(parts: ManagementParts, request: HostRequest, segments: readonly string[]): Reply {
  const { method } = request.message;
  const [id = '', operation, ...rest] = segments;
  if (operation !== undefined) {
    return method === 'POST' ? order(parts.instances, request, id, operation.toLowerCase(), rest) : notFound;
  }
  if (method === 'GET') return status(parts, request, id);
  if (method !== 'DELETE') return notFound;
  const instancesDeleted = parts.instances.purgeOne(id);
  return instancesDeleted === 'missing' ? notFound : { status: 200, body: { instancesDeleted } };
}

function order(
  instances: Instances,
  request: HostRequest,
  id: string,
  operation: string,
  rest: readonly string[],
): Reply {
  switch (operation) {
    case 'raiseevent':
      return raise(instances, request, id, rest);
    case 'terminate':
      return orderReply(instances.terminate(id, request.url.searchParams.get('reason') ?? ''), '');
    case 'suspend':
      return orderReply(instances.suspend(id), 'The instance is already suspended.');
    case 'resume':
      return orderReply(instances.resume(id), 'The instance is not suspended.');
    case 'rewind':
    case 'restart':
      return problem(501, `The embedded host does not serve ${operation}.`);
    default:
      return notFound;
  }
}

function raise(instances: Instances, request: HostRequest, id: string, [name, ...rest]: readonly string[]): Reply {
  if (name === undefined || rest.length > 0) return notFound;
  if (!/^application\/json\b/i.test(request.message.headers['content-type'] ?? '')) {
    return problem(400, 'Only application/json request content is supported.');
  }
  const input = readJson(request.body);
  if (input === 'bad') return problem(400, 'The event is not JSON.');
  return orderReply(instances.raise(id, name, input ?? 'null'), '');
}

function orderReply(result: OrderResult, refusal: string): Reply {
  if (result === 'refused') return problem(500, refusal);
  return { status: { accepted: 202, missing: 404, terminal: 410 }[result] };
}

function status(parts: ManagementParts, request: HostRequest, id: string): Reply {
  const query = request.url.searchParams;
  if (isTrue(query.get('showHistory'))) return problem(400, 'The embedded host does not serve showHistory.');
  const instance = parts.instances.get(id);
  if (!instance) return notFound;
  const body = statusOf(instance, query.get('showInput')?.toLowerCase() !== 'false');
  if (liveStatuses.has(instance.status)) {
    const location = managementLinks(parts.door, id)['statusQueryGetUri'] ?? '';
    return { status: 202, body, headers: { location, 'retry-after': '5' } };
  }
  const faulty = instance.status === 'Failed' && isTrue(query.get('returnInternalServerErrorOnFailure'));
  return { status: faulty ? 500 : 200, body };
}

function isInstanceId(id: string): boolean {
  return id.length <= 256 && !id.startsWith('@') && !/[/\\#?]|\p{Cc}/u.test(id);
}

function problem(httpStatus: number, Message: string): Reply {
  return { status: httpStatus, body: { Message } };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
