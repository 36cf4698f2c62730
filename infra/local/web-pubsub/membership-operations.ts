import { z } from 'zod';
import { ApiError, badRequest, notFound } from './api-error.ts';
import { type ApiAnswer, type ApiRequest, bodyOf, groupOf, integerOf, parameter } from './api-request.ts';
import type { ClientConnection } from './client-connection.ts';
import { parseFilter } from './filter.ts';
import { narrow } from './hub.ts';
import { isGroupName } from './names.ts';
import { dataTypeOf } from './payload.ts';

const OK: ApiAnswer = { status: 200 };
const NO_CONTENT: ApiAnswer = { status: 204 };
const PAGE_SIZE = 200;

const groupsRequest = z.object({
  groups: z.array(z.string().refine(isGroupName)).min(1),
  filter: z.string().nullish(),
});

export function addConnection(request: ApiRequest): ApiAnswer {
  const group = groupOf(request);
  const connection = request.hub.find(parameter(request, 'connection'));
  if (!connection) throw notFound('The connection does not exist.');
  request.hub.join(connection, group);
  return OK;
}

export function removeConnection(request: ApiRequest): ApiAnswer {
  const group = groupOf(request);
  const connection = request.hub.find(parameter(request, 'connection'));
  if (connection) request.hub.leave(connection, group);
  return NO_CONTENT;
}

export function removeConnectionFromAll(request: ApiRequest): ApiAnswer {
  const connection = request.hub.find(parameter(request, 'connection'));
  if (connection) request.hub.leaveAll(connection);
  return NO_CONTENT;
}

/** Its connections of now, not those to come. */
export function addUser(request: ApiRequest): ApiAnswer {
  const group = groupOf(request);
  const connections = request.hub.ofUser(parameter(request, 'user'));
  if (connections.size === 0) throw notFound('The user has no connection.');
  for (const connection of connections) request.hub.join(connection, group);
  return OK;
}

export function removeUser(request: ApiRequest): ApiAnswer {
  const group = groupOf(request);
  for (const connection of request.hub.ofUser(parameter(request, 'user'))) request.hub.leave(connection, group);
  return NO_CONTENT;
}

export function removeUserFromAll(request: ApiRequest): ApiAnswer {
  for (const connection of request.hub.ofUser(parameter(request, 'user'))) request.hub.leaveAll(connection);
  return NO_CONTENT;
}

export async function addToGroups(request: ApiRequest): Promise<ApiAnswer> {
  return await changeGroups(request, (connection, group) => request.hub.join(connection, group));
}

export async function removeFromGroups(request: ApiRequest): Promise<ApiAnswer> {
  return await changeGroups(request, (connection, group) => request.hub.leave(connection, group));
}

/** In the order of their ids, so that a page can go on where the last one ended. */
export function listConnections(request: ApiRequest): ApiAnswer {
  const group = groupOf(request);
  const pageSize = integerOf(request, 'maxpagesize', { minimum: 1, maximum: PAGE_SIZE }) ?? PAGE_SIZE;
  const top = integerOf(request, 'top', { minimum: 1 });
  const after = lastOfPage(request.query.get('continuationToken'));
  const all = [...request.hub.inGroup(group)]
    .filter(({ connectionId }) => after === undefined || connectionId > after)
    .sort((one, other) => (one.connectionId < other.connectionId ? -1 : 1));
  const page = all.slice(0, Math.min(pageSize, top ?? pageSize));
  const value = page.map(({ connectionId, userId }) => ({ connectionId, ...(userId !== undefined && { userId }) }));
  const last = value.at(-1);
  const isEnd = !last || page.length === all.length || page.length === top;
  return {
    status: 200,
    body: isEnd ? { value } : { value, nextLink: nextLinkOf(request, last.connectionId, page.length) },
  };
}

async function changeGroups(
  request: ApiRequest,
  change: (connection: ClientConnection, group: string) => void,
): Promise<ApiAnswer> {
  if (dataTypeOf(request.message.headers['content-type']) !== 'json') {
    throw new ApiError(415, 'Error.UnsupportedMediaType', 'The body is application/json.', 'Content-Type');
  }
  const { groups, filter } = parseGroups(await bodyOf(request));
  for (const connection of narrow(request.hub.all(), { filter: filter ? parseFilter(filter) : undefined })) {
    for (const group of groups) change(connection, group);
  }
  return OK;
}

function parseGroups(body: Buffer): z.output<typeof groupsRequest> {
  try {
    return groupsRequest.parse(JSON.parse(body.toString()));
  } catch {
    throw badRequest('The body must be {"groups": [...], "filter": "..."} with at least one valid name of a group.');
  }
}

function nextLinkOf({ host, message, query }: ApiRequest, lastId: string, given: number): string {
  const next = new URL(`https://${host}${message.url}`);
  next.searchParams.set('continuationToken', Buffer.from(`after:${lastId}`).toString('base64url'));
  const top = query.get('top');
  if (top) next.searchParams.set('top', String(Number(top) - given));
  return next.href;
}

function lastOfPage(token: string | null): string | undefined {
  if (token === null) return undefined;
  const text = Buffer.from(token, 'base64url').toString();
  if (!text.startsWith('after:')) throw badRequest('Invalid continuationToken.', 'continuationToken');
  return text.slice('after:'.length);
}
