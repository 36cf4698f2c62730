import { ApiError } from './api-error.ts';

/** The data actions that this stand-in asks for, without the provider's name before them. */
export type DataAction =
  | 'clientConnection/generateToken/action'
  | 'clientConnection/send/action'
  | 'clientConnection/read'
  | 'clientConnection/write'
  | 'group/send/action'
  | 'group/read'
  | 'group/write'
  | 'hub/send/action'
  | 'user/send/action'
  | 'user/read';

/** Who may do what: by principal (the claim `oid`), full data actions or names of built-in roles. */
export type RoleAssignments = Readonly<Record<string, readonly string[]>>;

const PROVIDER = 'Microsoft.SignalRService/WebPubSub/';

/** As the built-in roles are defined (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/web-and-mobile). */
const BUILT_IN_ROLES: Readonly<Record<string, readonly string[]>> = {
  'Web PubSub Service Owner': [`${PROVIDER}*`],
  'Web PubSub Service Reader': [`${PROVIDER}*/read`],
};

/** Whether an assignment to the principal covers the action. Actions match in any case, as in Azure. */
export function isAllowed(assignments: RoleAssignments, principal: string, action: DataAction): boolean {
  const granted = (assignments[principal] ?? []).flatMap((name) => BUILT_IN_ROLES[name] ?? [name]);
  const wanted = (PROVIDER + action).toLowerCase();
  return granted.some((pattern) => covers(pattern.toLowerCase(), wanted));
}

/** @throws ApiError 403, with the service's own words */
export function demand(assignments: RoleAssignments, principal: string, action: DataAction): void {
  if (isAllowed(assignments, principal, action)) return;
  const message = `${PROVIDER}${action} permission is required to access this API. Please check your role assignments.`;
  throw new ApiError(403, 'Error.Forbidden', message);
}

/** One `*` stands for any text. */
function covers(pattern: string, action: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === action;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return action.length >= pattern.length - 1 && action.startsWith(before) && action.endsWith(after);
}
