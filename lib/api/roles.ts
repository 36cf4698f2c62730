/** The app roles of Microsoft Entra that callers may have, as their access tokens carry them in `roles`. */
export const ROLES = {
  administrator: 'RemoteRendering.Administrator',
  client: 'RemoteRendering.Client',
} as const;

export type Role = (typeof ROLES)[keyof typeof ROLES];

/** The app role of Web PubSub's own managed identity: it lets in the events of Web PubSub and opens nothing else. */
export const EVENT_SOURCE = 'RemoteRendering.EventSource';

/** All that a token's `roles` claim may hold of ours. */
export type AppRole = Role | typeof EVENT_SOURCE;

/** The roles among what a token's `roles` claim holds. */
export function rolesAmong(names: readonly string[]): readonly AppRole[] {
  const all: readonly AppRole[] = [...Object.values(ROLES), EVENT_SOURCE];
  return all.filter((role) => names.includes(role));
}
