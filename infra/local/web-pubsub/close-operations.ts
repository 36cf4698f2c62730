import { type ApiAnswer, type ApiRequest, excludedOf, groupOf, parameter } from './api-request.ts';
import type { ClientConnection } from './client-connection.ts';
import { narrow } from './hub.ts';

const NO_CONTENT: ApiAnswer = { status: 204 };
const NORMAL = 1000;

export function closeConnection(request: ApiRequest): ApiAnswer {
  const connection = request.hub.find(parameter(request, 'connection'));
  return close(request, connection ? [connection] : []);
}

export function closeAll(request: ApiRequest): ApiAnswer {
  return close(request, request.hub.all());
}

export function closeUser(request: ApiRequest): ApiAnswer {
  return close(request, request.hub.ofUser(parameter(request, 'user')));
}

export function closeGroup(request: ApiRequest): ApiAnswer {
  return close(request, request.hub.inGroup(groupOf(request)));
}

/** Each is told why before its socket closes. */
function close(request: ApiRequest, connections: Iterable<ClientConnection>): ApiAnswer {
  const reason = request.query.get('reason') || 'Closed by REST API.';
  for (const connection of narrow(connections, { excluded: excludedOf(request) })) {
    connection.end(NORMAL, reason, reason);
  }
  return NO_CONTENT;
}
