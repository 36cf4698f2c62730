import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { groupOf, parameter } from './api-request.ts';
import { closeAll, closeConnection, closeGroup, closeUser } from './close-operations.ts';
import type { DataAction } from './data-actions.ts';
import {
  addConnection,
  addToGroups,
  addUser,
  listConnections,
  removeConnection,
  removeConnectionFromAll,
  removeFromGroups,
  removeUser,
  removeUserFromAll,
} from './membership-operations.ts';
import { grantPermission, hasPermission, revokePermission } from './permission-operations.ts';
import { sendToAll, sendToConnection, sendToGroup, sendToUser } from './send-operations.ts';
import { generateToken } from './token-operation.ts';

/** One call of the data plane. */
export interface Operation {
  readonly method: string;
  /** Below `/api/hubs/{hub}`. */
  readonly path: RegExp;
  /** What the caller must be allowed to do. */
  readonly action: DataAction;
  readonly run: (request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>;
}

/** All that concern a hub (https://learn.microsoft.com/rest/api/webpubsub/dataplane). */
export const OPERATIONS: readonly Operation[] = [
  operation('POST', '/:generateToken', 'clientConnection/generateToken/action', generateToken),

  operation('POST', '/:send', 'hub/send/action', sendToAll),
  operation('POST', '/users/{user}/:send', 'user/send/action', sendToUser),
  operation('POST', '/connections/{connection}/:send', 'clientConnection/send/action', sendToConnection),
  operation('POST', '/groups/{group}/:send', 'group/send/action', sendToGroup),

  operation('HEAD', '/connections/{connection}', 'clientConnection/read', (request) =>
    existence(request.hub.find(parameter(request, 'connection')) !== undefined),
  ),
  operation('HEAD', '/groups/{group}', 'group/read', (request) =>
    existence(request.hub.inGroup(groupOf(request)).size > 0),
  ),
  operation('HEAD', '/users/{user}', 'user/read', (request) =>
    existence(request.hub.ofUser(parameter(request, 'user')).size > 0),
  ),

  operation('DELETE', '/connections/{connection}', 'clientConnection/write', closeConnection),
  operation('POST', '/:closeConnections', 'clientConnection/write', closeAll),
  operation('POST', '/users/{user}/:closeConnections', 'clientConnection/write', closeUser),
  operation('POST', '/groups/{group}/:closeConnections', 'clientConnection/write', closeGroup),

  operation('PUT', '/groups/{group}/connections/{connection}', 'group/write', addConnection),
  operation('DELETE', '/groups/{group}/connections/{connection}', 'group/write', removeConnection),
  operation('DELETE', '/connections/{connection}/groups', 'group/write', removeConnectionFromAll),
  operation('PUT', '/users/{user}/groups/{group}', 'group/write', addUser),
  operation('DELETE', '/users/{user}/groups/{group}', 'group/write', removeUser),
  operation('DELETE', '/users/{user}/groups', 'group/write', removeUserFromAll),
  operation('POST', '/:addToGroups', 'group/write', addToGroups),
  operation('POST', '/:removeFromGroups', 'group/write', removeFromGroups),
  operation('GET', '/groups/{group}/connections', 'group/read', listConnections),

  operation('PUT', '/permissions/{permission}/connections/{connection}', 'clientConnection/write', grantPermission),
  operation('DELETE', '/permissions/{permission}/connections/{connection}', 'clientConnection/write', revokePermission),
  operation('HEAD', '/permissions/{permission}/connections/{connection}', 'clientConnection/read', hasPermission),
];

function operation(method: string, template: string, action: DataAction, run: Operation['run']): Operation {
  const path = new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`, 'i');
  return { method, path, action, run };
}

function existence(exists: boolean): ApiAnswer {
  return { status: exists ? 200 : 404 };
}
