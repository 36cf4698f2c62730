import { ApiError, badRequest, notFound } from './api-error.ts';
import { type ApiAnswer, type ApiRequest, parameter } from './api-request.ts';
import type { ClientConnection } from './client-connection.ts';
import { PERMISSIONS, type Permission } from './group-permissions.ts';
import { isGroupName } from './names.ts';

/** A group by its very name: patterns are for roles alone. */
export function grantPermission(request: ApiRequest): ApiAnswer {
  const { permission, group, connection } = namedIn(request);
  if (!connection) throw notFound('The connection does not exist.');
  if (!connection.permissions.grant(permission, group)) {
    throw new ApiError(409, 'Error.Conflict', 'The connection has as many permissions as it can have.');
  }
  return { status: 200 };
}

export function revokePermission(request: ApiRequest): ApiAnswer {
  const { permission, group, connection } = namedIn(request);
  connection?.permissions.revoke(permission, group);
  return { status: 204 };
}

export function hasPermission(request: ApiRequest): ApiAnswer {
  const { permission, group, connection } = namedIn(request);
  return { status: connection?.permissions.allows(permission, group) ? 200 : 404 };
}

function namedIn(request: ApiRequest): {
  readonly permission: Permission;
  readonly group: string;
  readonly connection: ClientConnection | undefined;
} {
  const permission = PERMISSIONS.find((each) => each === parameter(request, 'permission'));
  if (!permission) throw badRequest(`The permission must be one of: ${PERMISSIONS.join(', ')}.`, 'permission');
  const group = request.query.get('targetName') ?? '';
  if (!isGroupName(group)) throw badRequest('targetName must be the name of a group.', 'targetName');
  return { permission, group, connection: request.hub.find(parameter(request, 'connection')) };
}
