import type { FunctionIndex, HttpFunction } from './function-index.ts';
import { messageOf } from './host-error.ts';
import type { HostLog } from './host-log.ts';
import { type Endpoint, type HostRequest, sendEmpty } from './http-server.ts';
import type { Invoker } from './invoker.ts';
import { matchRoute } from './routes.ts';
import { sendRpcHttp, toRpcHttp } from './rpc-http.ts';

/** Answers with the app's HTTP functions: 404 where none matches path and method, 500 without a body where the handler throws. */
export function httpTriggers(index: FunctionIndex, invoker: Invoker, log: HostLog): Endpoint {
  const silent = new Set<string>();
  return async (request) => {
    const match = findFunction(index.http, request);
    if (!match) return false;
    const { target, parameters } = match;
    try {
      const value = await invoker.invoke(target, toRpcHttp(request.message, request.url, parameters, request.body));
      if (!value && !silent.has(target.name)) {
        silent.add(target.name);
        log(
          'warning',
          target.name,
          'The handler returned nothing: the answer is 204. Return a response, { status: 204 } if meant.',
        );
      }
      sendRpcHttp(request.response, value);
    } catch (error) {
      log('error', target.name, error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
      sendEmpty(request.response, 500);
    }
    return true;
  };
}

function findFunction(
  functions: readonly HttpFunction[],
  { message, url }: HostRequest,
): { target: HttpFunction; parameters: Readonly<Record<string, string>> } | undefined {
  for (const target of functions) {
    if (!target.methods.has(message.method ?? 'GET')) continue;
    const parameters = matchRoute(target.route, url.pathname);
    if (parameters) return { target, parameters };
  }
  return undefined;
}
