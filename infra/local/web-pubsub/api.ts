import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodePathPart } from '../path-part.ts';
import { type AccessKeys, verifyKeyToken } from './access-keys.ts';
import { ApiError, badRequest, notFound, unauthorized } from './api-error.ts';
import type { ApiAnswer } from './api-request.ts';
import type { ClientTokens } from './client-tokens.ts';
import { demand, type RoleAssignments } from './data-actions.ts';
import type { VerifyEntraToken } from './entra-tokens.ts';
import type { Hubs } from './hubs.ts';
import { isHubName, isOwnHost } from './names.ts';
import { OPERATIONS, type Operation } from './operations.ts';

export interface ApiOptions {
  readonly port: number;
  readonly hubs: Hubs;
  readonly tokens: ClientTokens;
  readonly verifyEntraToken: VerifyEntraToken;
  readonly accessKeys: AccessKeys;
  readonly roles: RoleAssignments;
  readonly now: () => Date;
}

const HUB_PATH = /^\/api\/hubs\/(?<hub>[^/]+)(?<rest>\/.+?)\/?$/i;
const HEALTH_PATH = /^\/api\/health\/?$/i;
/** The first and the last version of the REST API whose paths these are. */
const VERSION = /^20\d\d-\d\d-\d\d(?:-preview)?$/;
const [FIRST_VERSION, LAST_VERSION] = ['2021-05-01', '2024-12-01-preview'];

/** Answers a REST call, whatever it is. */
export async function answerApi(
  message: IncomingMessage,
  response: ServerResponse,
  options: ApiOptions,
): Promise<void> {
  try {
    send(message, response, await answerTo(message, options));
  } catch (error) {
    // A client that hangs up in the middle of its request is nobody's fault here.
    if (message.destroyed && !message.complete) return;
    sendError(message, response, error);
  }
}

async function answerTo(message: IncomingMessage, options: ApiOptions): Promise<ApiAnswer> {
  const { url = '', method = '' } = message;
  const host = message.headers.host ?? '';
  if (!isOwnHost(host, options.port)) throw notFound('There is no such service here.');
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  if (/^\/client(?:\/|$)/i.test(path)) throw badRequest('A WebSocket is expected here.');
  if (HEALTH_PATH.test(path)) return { status: method === 'HEAD' ? 200 : 405 };
  const { hub: rawHub = '', rest = '' } = HUB_PATH.exec(path)?.groups ?? {};
  const { operation, parameters } = findOperation(method, rest);
  const principal = await identify(message, `https://${host}${url}`, options);
  if (principal !== undefined) demand(options.roles, principal, operation.action);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark));
  checkVersion(query.get('api-version'));
  const hubName = decodePart(rawHub);
  if (!isHubName(hubName)) throw badRequest('Invalid hub name.', 'hub');
  const { hubs, tokens, now } = options;
  const hub = hubs.get(hubName.toLowerCase());
  return await operation.run({ hubName, hub, parameters, query, message, host, principal, tokens, now });
}

function findOperation(
  method: string,
  rest: string,
): {
  readonly operation: Operation;
  readonly parameters: Readonly<Record<string, string>>;
} {
  const found = OPERATIONS.filter(({ path }) => path.test(rest));
  const operation = found.find((each) => each.method === method);
  if (operation) {
    const raw = Object.entries(operation.path.exec(rest)?.groups ?? {});
    return { operation, parameters: Object.fromEntries(raw.map(([name, value]) => [name, decodePart(value)])) };
  }
  if (found.length === 0) throw notFound('There is no such operation.');
  throw new ApiError(405, 'Error.MethodNotAllowed', `${method} is not allowed here.`);
}

/** The caller's `oid`, or undefined for who holds an access key. Throws ApiError 401. */
async function identify(message: IncomingMessage, url: string, options: ApiOptions): Promise<string | undefined> {
  const { authorization = '' } = message.headers;
  const token = /^Bearer +(?<token>\S+)$/i.exec(authorization)?.groups?.['token'];
  if (token === undefined) throw unauthorized('A bearer token is missing.');
  if (!isSignedWithKey(token)) return await options.verifyEntraToken(token);
  await verifyKeyToken(token, url, options.accessKeys, options.now());
  return undefined;
}

function isSignedWithKey(token: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.', 1)[0] ?? '', 'base64url').toString());
    return typeof header === 'object' && header !== null && 'alg' in header && header.alg === 'HS256';
  } catch {
    return false;
  }
}

function checkVersion(version: string | null): void {
  const isKnown = version !== null && VERSION.test(version) && version >= FIRST_VERSION && version <= LAST_VERSION;
  if (!isKnown) throw badRequest('api-version must name a version of the REST API, such as 2024-12-01.', 'api-version');
}

function decodePart(part: string): string {
  try {
    return decodePathPart(part);
  } catch {
    throw badRequest('The path is not properly encoded.');
  }
}

function sendError(message: IncomingMessage, response: ServerResponse, error: unknown): void {
  const known = error instanceof ApiError ? error : undefined;
  if (!known) process.stderr.write(`A request could not be answered: ${String(error)}\n`);
  if (response.headersSent) return void response.destroy();
  const { status = 500, code = 'Error.InternalServerError', target } = known ?? {};
  response.setHeader('x-ms-error-code', code);
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  // What is left of a body that is too large is not read.
  if (status === 413) response.setHeader('connection', 'close');
  const text = known?.message ?? 'Internal server error.';
  send(message, response, { status, body: { code, message: text, ...(target !== undefined && { target }) } });
}

function send({ method }: IncomingMessage, response: ServerResponse, { status, body }: ApiAnswer): void {
  response.setHeader('x-content-type-options', 'nosniff').setHeader('cache-control', 'no-store');
  if (body === undefined || method === 'HEAD') {
    response.writeHead(status, status === 204 ? {} : { 'content-length': 0 }).end();
    return;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length })
    .end(bytes);
}
