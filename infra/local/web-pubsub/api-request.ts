import type { IncomingMessage } from 'node:http';
import { ApiError, badRequest } from './api-error.ts';
import type { ClientTokens } from './client-tokens.ts';
import { type Filter, parseFilter } from './filter.ts';
import type { Hub } from './hub.ts';
import { isGroupName } from './names.ts';

/** A REST call that is allowed, for the operation that it names. */
export interface ApiRequest {
  /** As the request writes it. */
  readonly hubName: string;
  readonly hub: Hub;
  /** Of the path: `user`, `group`, `connection`, `permission`. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
  /** `host[:port]` as the caller names this service. */
  readonly host: string;
  /** The claim `oid`; undefined for who holds an access key. */
  readonly principal: string | undefined;
  readonly tokens: ClientTokens;
  readonly now: () => Date;
}

export interface ApiAnswer {
  readonly status: number;
  /** JSON. */
  readonly body?: unknown;
}

const BODY_LIMIT = 1024 * 1024;
const INT32_LIMIT = 2 ** 31;

/** One of the path's parameters. */
export function parameter({ parameters }: ApiRequest, name: string): string {
  return parameters[name] ?? '';
}

/** @throws ApiError 400 */
export function groupOf(request: ApiRequest): string {
  const group = parameter(request, 'group');
  if (!isGroupName(group)) throw badRequest('Invalid group name.', 'group');
  return group;
}

export function excludedOf({ query }: ApiRequest): ReadonlySet<string> {
  return new Set(query.getAll('excluded'));
}

/** @throws ApiError 400 */
export function filterOf({ query }: ApiRequest): Filter | undefined {
  const text = query.get('filter');
  return text ? parseFilter(text) : undefined;
}

/**
 * A whole number that may be given once.
 * @throws ApiError 400
 */
export function integerOf(
  { query }: ApiRequest,
  name: string,
  { minimum, maximum = INT32_LIMIT - 1 }: { readonly minimum: number; readonly maximum?: number },
): number | undefined {
  const given = query.getAll(name);
  const [text] = given;
  if (text === undefined) return undefined;
  const value = Number(text);
  if (given.length > 1 || !/^\d{1,10}$/.test(text) || value < minimum || value > maximum) {
    throw badRequest(`${name} must be a whole number from ${minimum} to ${maximum}.`, name);
  }
  return value;
}

/** @throws ApiError 413 where it is larger than a message may be */
export async function bodyOf({ message }: ApiRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new ApiError(413, 'Error.PayloadTooLarge', 'A message holds at most 1 MB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
