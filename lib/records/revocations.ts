import { createHash } from 'node:crypto';
import type { TableClient } from '@azure/data-tables';
import { z } from 'zod';
import { instant } from './record.ts';
import { RecordsError } from './records-error.ts';
import { changeSharedRow } from './shared-row.ts';
import { parseRow, statusOf } from './table.ts';

const PARTITION = 'revocations';
/** How old the list may be before it is read again. */
const FRESH_MILLISECONDS = 15_000;
/** How old a list may be that is used because storage does not answer. */
const USABLE_MILLISECONDS = 60_000;
/** How long storage may take to give the list. */
const ANSWER_MILLISECONDS = 5000;

const revocation = z.object({
  /** Who or what is revoked: a caller's subject, or the kid of a signing key. */
  target: z.string(),
  revokedAt: instant,
  /** The subject of who revoked it. */
  by: z.string(),
});
type Revocation = z.output<typeof revocation>;

/** What was revoked at a moment, which is in milliseconds since 1970, by its target in lower case. */
interface KnownTargets {
  readonly targets: Map<string, Revocation>;
  readonly readAt: number;
}

/**
 * Who and what is revoked. Every request asks, so the whole list is kept and read again after 15 s: a revocation acts on this instance at
 * once, and on every other within 60 s even where storage does not answer.
 */
export class Revocations {
  readonly #table: TableClient;
  readonly #now: () => Date;
  #known: KnownTargets | undefined;
  #reading: Promise<KnownTargets> | undefined;
  #triedAt = 0;

  constructor(table: TableClient, now: () => Date) {
    this.#table = table;
    this.#now = now;
  }

  /**
   * True if one of them is revoked. While storage does not answer, the list that is known counts for 60 s from its reading.
   * @throws RecordsError `unavailable` after that: of nobody it can be said then that they are not revoked
   */
  async isRevoked(...targets: string[]): Promise<boolean> {
    const known = await this.#knownTargets();
    return targets.some((target) => known.has(folded(target)));
  }

  /**
   * Who and what was revoked last, as `isRevoked` knows it.
   * @throws RecordsError `unavailable` as there
   */
  async latest(count: number): Promise<readonly Revocation[]> {
    const known = [...(await this.#knownTargets()).values()];
    return known.sort((one, other) => (one.revokedAt < other.revokedAt ? 1 : -1)).slice(0, count);
  }

  /** Revokes. What is revoked already stays as it is, and `created` is false then. */
  async revoke(target: string, by: string): Promise<Revocation & { readonly created: boolean }> {
    const wanted = { target, revokedAt: this.#now().toISOString(), by };
    let created = false;
    const found = await changeSharedRow(this.#table, keyOf(target), revocation, (current) => {
      created = current === undefined;
      return created ? wanted : undefined;
    });
    const made = found ?? wanted;
    this.#change((targets) => targets.set(folded(target), made));
    return { ...made, created };
  }

  /** Takes a revocation back; false where there is none. */
  async restore(target: string): Promise<boolean> {
    const { partitionKey, rowKey } = keyOf(target);
    const found = await this.#table.deleteEntity(partitionKey, rowKey).then(
      () => true,
      (error: unknown) => {
        if (statusOf(error) === 404) return false;
        throw error;
      },
    );
    this.#change((targets) => targets.delete(folded(target)));
    return found;
  }

  /** All revocations, as they are in storage now, in no order. */
  async list(): Promise<Revocation[]> {
    const rows = this.#table.listEntities({
      queryOptions: { filter: `PartitionKey eq '${PARTITION}'` },
      abortSignal: AbortSignal.timeout(ANSWER_MILLISECONDS),
    });
    const revocations: Revocation[] = [];
    for await (const row of rows) revocations.push(revocation.parse(parseRow(row).document));
    return revocations;
  }

  async #knownTargets(): Promise<ReadonlyMap<string, Revocation>> {
    const known = this.#known;
    const asked = Math.max(known?.readAt ?? 0, this.#triedAt);
    if (this.#isUsable(known) && this.#isWithin(asked, FRESH_MILLISECONDS)) return known.targets;
    try {
      return (await (this.#reading ?? this.#read())).targets;
    } catch (cause) {
      if (this.#isUsable(known)) return known.targets;
      throw new RecordsError('unavailable', 'Storage does not say who is revoked, so that nobody is let in.', {
        cause,
      });
    }
  }

  #isUsable(known: KnownTargets | undefined): known is KnownTargets {
    return known !== undefined && this.#isWithin(known.readAt, USABLE_MILLISECONDS);
  }

  /** False for what is of the future too, as after a clock was put back. */
  #isWithin(since: number, milliseconds: number): boolean {
    const age = this.#now().getTime() - since;
    return age >= 0 && age <= milliseconds;
  }

  #read(): Promise<KnownTargets> {
    const readAt = this.#now().getTime();
    this.#triedAt = readAt;
    const reading: Promise<KnownTargets> = this.list()
      .then((revocations) => {
        const targets = new Map(revocations.map((made) => [folded(made.target), made]));
        const known = { targets, readAt };
        if (this.#reading === reading) this.#known = known;
        return known;
      })
      .finally(() => {
        if (this.#reading === reading) this.#reading = undefined;
      });
    this.#reading = reading;
    return reading;
  }

  /** What is being read meanwhile may be from before the change: it counts no more for who asks from now on. */
  #change(change: (targets: KnownTargets['targets']) => void): void {
    this.#reading = undefined;
    if (this.#known !== undefined) change(this.#known.targets);
  }
}

/** An id that was typed in another case is the same id: a revocation that names nobody would be believed to act. */
function folded(target: string): string {
  return target.toLowerCase();
}

/** Keys may not hold every character that a target may. */
function keyOf(target: string) {
  return { partitionKey: PARTITION, rowKey: createHash('sha256').update(folded(target)).digest('hex') };
}
