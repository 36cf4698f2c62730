import type { IncomingMessage } from 'node:http';
import type { SimpleMode } from './client-session.ts';
import { isGroupName, isHubName } from './names.ts';

/** What a client's request for a WebSocket says. */
export interface Handshake {
  /** In lower case. */
  readonly hub: string;
  /** In the order in which the client prefers them. */
  readonly subprotocols: readonly string[];
  readonly token: string | undefined;
  /** A connection that was lost, to be taken up again. */
  readonly recovery: { readonly connectionId: string; readonly reconnectionToken: string } | undefined;
  readonly simpleMode: SimpleMode;
  readonly query: URLSearchParams;
}

/** The subprotocols that are spoken here. */
export const SUBPROTOCOLS = {
  'json.webpubsub.azure.v1': 'json',
  'json.reliable.webpubsub.azure.v1': 'reliable-json',
} as const;

const PATH = /^\/client(?:\/hubs\/(?<hub>[^/]+))?\/?$/i;

/** The handshake, or the HTTP status that refuses it. */
export function parseHandshake({ method, url = '', headers }: IncomingMessage): Handshake | number {
  const mark = url.indexOf('?');
  const path = PATH.exec(mark < 0 ? url : url.slice(0, mark));
  if (!path) return 404;
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return 400;
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark));
  const hub = decoded(path.groups?.['hub'] ?? query.get('hub') ?? '');
  const simpleMode = simpleModeOf(query);
  if (hub === undefined || !isHubName(hub) || !simpleMode) return 400;
  const subprotocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
  const bearer = /^Bearer +(?<token>\S+)$/i.exec(headers.authorization ?? '')?.groups?.['token'];
  const connectionId = query.get('awps_connection_id');
  return {
    hub: hub.toLowerCase(),
    subprotocols: subprotocols.filter((each) => each !== ''),
    token: query.get('access_token') || bearer,
    recovery: connectionId
      ? { connectionId, reconnectionToken: query.get('awps_reconnection_token') ?? '' }
      : undefined,
    simpleMode,
    query,
  };
}

/** The first one that is spoken here. */
export function supportedOf(subprotocols: readonly string[]): string | undefined {
  return subprotocols.find((each) => Object.hasOwn(SUBPROTOCOLS, each));
}

function simpleModeOf(query: URLSearchParams): SimpleMode | undefined {
  const mode = (query.get('webpubsub_mode') ?? 'sendEvent').toLowerCase();
  if (mode === 'sendevent') return { kind: 'sendEvent' };
  const group = query.get('group') ?? '';
  if (mode !== 'sendtogroup' || !isGroupName(group)) return undefined;
  return { kind: 'sendToGroup', group, noEcho: query.get('noEcho')?.toLowerCase() === 'true' };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
