import { ApiError, badRequest } from './api-error.ts';
import {
  type ApiAnswer,
  type ApiRequest,
  bodyOf,
  excludedOf,
  filterOf,
  groupOf,
  integerOf,
  parameter,
} from './api-request.ts';
import { deliverTo } from './hub.ts';
import { type Origin, OutgoingMessage } from './outgoing-message.ts';
import { dataTypeOf, type Metadata, payloadOf } from './payload.ts';

const ACCEPTED: ApiAnswer = { status: 202 };
const METADATA_PREFIX = 'x-webpubsub-metadata-';
const SERVER: Origin = { from: 'server' };

/** Nobody need be there: a message to a user, group or connection that does not exist is accepted too. */
export async function sendToAll(request: ApiRequest): Promise<ApiAnswer> {
  const only = { excluded: excludedOf(request), filter: filterOf(request) };
  const message = await messageOf(request, SERVER);
  deliverTo(request.hub.all(), message, only);
  return ACCEPTED;
}

export async function sendToUser(request: ApiRequest): Promise<ApiAnswer> {
  const only = { filter: filterOf(request) };
  const message = await messageOf(request, SERVER);
  deliverTo(request.hub.ofUser(parameter(request, 'user')), message, only);
  return ACCEPTED;
}

export async function sendToConnection(request: ApiRequest): Promise<ApiAnswer> {
  const message = await messageOf(request, SERVER);
  request.hub.find(parameter(request, 'connection'))?.deliver(message);
  return ACCEPTED;
}

export async function sendToGroup(request: ApiRequest): Promise<ApiAnswer> {
  const group = groupOf(request);
  const only = { excluded: excludedOf(request), filter: filterOf(request) };
  const message = await messageOf(request, { from: 'group', group, fromUserId: undefined });
  deliverTo(request.hub.inGroup(group), message, only);
  return ACCEPTED;
}

async function messageOf(request: ApiRequest, origin: Origin): Promise<OutgoingMessage> {
  const seconds = integerOf(request, 'messageTtlSeconds', { minimum: 0, maximum: 300 });
  const dataType = dataTypeOf(request.message.headers['content-type']);
  if (!dataType) {
    const text = 'A message is application/json, text/plain or application/octet-stream, in UTF-8.';
    throw new ApiError(415, 'Error.UnsupportedMediaType', text, 'Content-Type');
  }
  const payload = payloadOf(dataType, await bodyOf(request));
  if (!payload) throw badRequest('The body is not what its content type says.');
  const metadata = metadataOf(request);
  return new OutgoingMessage(payload, origin, {
    ...(metadata && { metadata }),
    ...(seconds && { expiresAt: request.now().getTime() + seconds * 1000 }),
  });
}

function metadataOf({ message }: ApiRequest): Metadata | undefined {
  const given = Object.entries(message.headers).filter(([name]) => name.startsWith(METADATA_PREFIX));
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map(([name, value]) => [name.slice(METADATA_PREFIX.length), String(value)]));
}
