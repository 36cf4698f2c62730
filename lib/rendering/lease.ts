import type { Lease } from '#lib/records';
import { RenderingError } from './rendering-error.ts';

/**
 * A lease whose clock does not run yet. All amounts are seconds.
 * @throws RenderingError `lease_over_cap`
 */
export function newLease(maxLeaseSeconds: number, hardCapSeconds: number): Lease {
  refuseOverCap(maxLeaseSeconds, hardCapSeconds);
  return { revision: 1, maxLeaseSeconds, hardCapSeconds };
}

/** The lease from Ready on: its ends are absolute, so that no later reader counts from its own clock. */
export function startLease(lease: Lease, readyAt: Date): Lease {
  return {
    ...lease,
    startedAt: readyAt.toISOString(),
    expiresAt: after(readyAt, lease.maxLeaseSeconds).toISOString(),
    hardCapAt: after(readyAt, lease.hardCapSeconds).toISOString(),
  };
}

/**
 * The lease with a larger total. The total counts from Ready, so that the same renewal twice cannot double it.
 * @param ifMatch the revision that the caller has seen; any where it is undefined
 * @throws RenderingError `stale`, `lease_not_larger`, `lease_over_cap`
 */
export function renewLease(lease: Lease, maxLeaseSeconds: number, ifMatch: number | undefined): Lease {
  if (ifMatch !== undefined && ifMatch !== lease.revision) {
    throw new RenderingError(
      'stale',
      `The lease has been renewed since: it is at revision ${lease.revision}, not ${ifMatch}.`,
    );
  }
  if (maxLeaseSeconds <= lease.maxLeaseSeconds) {
    throw new RenderingError(
      'lease_not_larger',
      `maxLeaseSeconds is the total from Ready and must be larger than the present ${lease.maxLeaseSeconds}; ${maxLeaseSeconds} is not.`,
    );
  }
  refuseOverCap(maxLeaseSeconds, lease.hardCapSeconds);
  const renewed = { ...lease, revision: lease.revision + 1, maxLeaseSeconds };
  return lease.startedAt === undefined ? renewed : startLease(renewed, new Date(lease.startedAt));
}

/** Why a lease is over at a time; undefined while it runs, and before its clock does. */
export function leaseEnd(lease: Lease, now: Date): 'lease_expired' | 'hard_cap' | undefined {
  if (lease.expiresAt === undefined || now.toISOString() < lease.expiresAt) return undefined;
  return lease.expiresAt === lease.hardCapAt ? 'hard_cap' : 'lease_expired';
}

/** How many seconds before a lease's end its clients are warned. */
const WARNINGS = [300, 60] as const;

/** A warning that a lease ends: of which end, how many seconds before it, and from when on it is due. */
export interface LeaseWarning {
  readonly expiresAt: string;
  readonly seconds: number;
  readonly dueAt: Date;
}

/**
 * The next warning to give: each is given once per end of the lease, so that a renewal, which moves the end, arms them all again. One
 * that would be due at Ready already, since the whole lease is no longer than that, is not given; nor is one that was overslept so far
 * that the next is due.
 * @param warned the last that was given
 */
export function nextWarning(
  { expiresAt, maxLeaseSeconds }: Lease,
  warned: { readonly expiresAt: string; readonly seconds: number } | undefined,
  now: Date,
): LeaseWarning | undefined {
  if (expiresAt === undefined) return undefined;
  const given = warned?.expiresAt === expiresAt ? warned.seconds : Number.POSITIVE_INFINITY;
  const ahead = WARNINGS.filter((seconds) => seconds < maxLeaseSeconds && seconds < given).map((seconds) => ({
    expiresAt,
    seconds,
    dueAt: after(new Date(expiresAt), -seconds),
  }));
  return ahead.findLast(({ dueAt }) => dueAt <= now) ?? ahead[0];
}

/** Seconds that are left, never below 0; null before the clock runs. */
export function remainingSeconds(lease: Lease, now: Date): number | null {
  if (lease.expiresAt === undefined) return null;
  return Math.max(0, (new Date(lease.expiresAt).getTime() - now.getTime()) / 1000);
}

function refuseOverCap(maxLeaseSeconds: number, hardCapSeconds: number): void {
  if (maxLeaseSeconds > hardCapSeconds) {
    throw new RenderingError(
      'lease_over_cap',
      `maxLeaseSeconds may be ${hardCapSeconds} at most (MAX_LEASE_SECONDS); ${maxLeaseSeconds} is more.`,
    );
  }
}

function after(start: Date, seconds: number): Date {
  return new Date(start.getTime() + seconds * 1000);
}
