import { parsePattern, type WildcardPattern } from './wildcard-pattern.ts';

export const PERMISSIONS = ['joinLeaveGroup', 'sendToGroup'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What one permission of one connection covers. */
interface Rules {
  everywhere: boolean;
  /** What was said about one group, which overrides all else: granted or denied. */
  readonly byGroup: Map<string, boolean>;
  readonly patterns: WildcardPattern[];
}

const LITERAL_LIMIT = 1000;
const PATTERN_LIMIT = 10;
const PREFIX = 'webpubsub.';

/** What a connection may do with groups: as its roles say, then as REST calls have changed it. Unknown roles grant nothing. */
export class GroupPermissions {
  readonly #rules: Readonly<Record<Permission, Rules>>;

  constructor(roles: readonly string[]) {
    this.#rules = { joinLeaveGroup: rulesOf('joinLeaveGroup', roles), sendToGroup: rulesOf('sendToGroup', roles) };
  }

  allows(permission: Permission, group: string): boolean {
    const { everywhere, byGroup, patterns } = this.#rules[permission];
    return byGroup.get(group) ?? (everywhere || patterns.some((matches) => matches(group)));
  }

  /** False where the connection has too many rules already. */
  grant(permission: Permission, group: string): boolean {
    return this.#set(permission, group, true);
  }

  revoke(permission: Permission, group: string): void {
    if (this.allows(permission, group)) this.#set(permission, group, false);
  }

  #set(permission: Permission, group: string, allowed: boolean): boolean {
    const { byGroup } = this.#rules[permission];
    if (!byGroup.has(group) && byGroup.size >= LITERAL_LIMIT) return false;
    byGroup.set(group, allowed);
    return true;
  }
}

/** `webpubsub.{permission}`, `webpubsub.{permission}.{group}` and, in the plural, `webpubsub.{permission}s.{pattern}`. */
function rulesOf(permission: Permission, roles: readonly string[]): Rules {
  const everywhere = PREFIX + permission;
  const literals = roles
    .filter((role) => role.startsWith(`${everywhere}.`))
    .map((role) => role.slice(everywhere.length + 1));
  const patterns = roles
    .filter((role) => role.startsWith(`${everywhere}s.`))
    .map((role) => role.slice(everywhere.length + 2));
  return {
    everywhere: roles.includes(everywhere),
    byGroup: new Map(literals.slice(0, LITERAL_LIMIT).map((group) => [group, true])),
    patterns: patterns
      .map(parsePattern)
      .filter((pattern) => pattern !== undefined)
      .slice(0, PATTERN_LIMIT),
  };
}
