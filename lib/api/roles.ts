/** The app roles of Microsoft Entra that callers may have, as their access tokens carry them in `roles`. */
export const ROLES = {
  administrator: 'RemoteRendering.Administrator',
  client: 'RemoteRendering.Client',
} as const;

export type Role = (typeof ROLES)[keyof typeof ROLES];

/** The roles among what a token's `roles` claim holds. */
export function rolesAmong(names: readonly string[]): readonly Role[] {
  return Object.values(ROLES).filter((role) => names.includes(role));
}
