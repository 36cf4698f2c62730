import type { AppRole } from '#lib/api';

/** Who calls, as whoever vouches for them says. */
export interface Caller {
  /** The object id in their tenant: what records have as owner and reader, and what a revocation names. */
  readonly subject: string;
  readonly roles: readonly AppRole[];
  readonly tenantId: string;
}
