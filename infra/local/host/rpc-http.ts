import type { IncomingMessage, ServerResponse } from 'node:http';
import type { NullableText, RpcCookie, RpcHttp, TypedData } from './rpc.ts';

/** The trigger data of an HTTP request: repeated headers and query keys are joined with commas, as in Azure. */
export function toRpcHttp(
  request: IncomingMessage,
  url: URL,
  parameters: Readonly<Record<string, string>>,
  body: Buffer,
): TypedData {
  const http: RpcHttp = {
    method: request.method ?? 'GET',
    url: url.href,
    nullableHeaders: nullable(headersOf(request)),
    nullableQuery: nullable(queryOf(url)),
    nullableParams: nullable(parameters),
    ...(body.length > 0 && { body: { bytes: body } }),
  };
  return { http };
}

/** Writes what a handler returned: nothing is 204, as in Azure. Throws where Node refuses the status or a header. */
export function sendRpcHttp(response: ServerResponse, value: TypedData | null): void {
  const http = value?.http;
  if (!http) {
    response.writeHead(204).end();
    return;
  }
  const body = bytesOf(http.body ?? {});
  for (const [name, text] of Object.entries(http.headers ?? {})) {
    if (!connectionHeaders.has(name.toLowerCase())) response.setHeader(name, text);
  }
  if (http.cookies && http.cookies.length > 0) response.setHeader('set-cookie', http.cookies.map(cookieText));
  response.statusCode = Number(http.statusCode ?? 200);
  const bodyless = response.statusCode === 204 || response.statusCode === 304 || response.req.method === 'HEAD';
  if (!bodyless) response.setHeader('content-length', body.length);
  response.end(bodyless ? undefined : body);
}

const connectionHeaders: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade']);

function headersOf(request: IncomingMessage): Record<string, string> {
  const joined = Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]);
  return Object.fromEntries(joined.filter(([, text]) => text !== ''));
}

function queryOf(url: URL): Record<string, string> {
  return Object.fromEntries([...url.searchParams.keys()].map((key) => [key, url.searchParams.getAll(key).join(',')]));
}

function nullable(values: Readonly<Record<string, string>>): Record<string, NullableText> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value }]));
}

function bytesOf(data: TypedData): Uint8Array {
  if (data.bytes) return data.bytes;
  return Buffer.from(data.string ?? data.json ?? '');
}

function cookieText(cookie: RpcCookie): string {
  const parts = [`${cookie.name}=${encodeURIComponent(cookie.value)}`];
  if (cookie.expires) parts.push(`expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`);
  if (cookie.maxAge) parts.push(`max-age=${Math.trunc(cookie.maxAge.value)}`);
  if (cookie.domain) parts.push(`domain=${cookie.domain.value}`);
  parts.push(`path=${cookie.path?.value ?? '/'}`);
  if (cookie.secure?.value) parts.push('secure');
  const sameSite = cookie.sameSite === 'explicitNone' ? 'none' : cookie.sameSite;
  if (sameSite && cookie.sameSite !== 'none') parts.push(`samesite=${sameSite}`);
  if (cookie.httpOnly?.value) parts.push('httponly');
  return parts.join('; ');
}
