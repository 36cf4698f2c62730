import type { TableClient } from '@azure/data-tables';
import { z } from 'zod';
import { changeSharedRow } from './shared-row.ts';

const claim = z.object({
  /** The conversion that runs, or ran, the converter for this content. */
  holder: z.string(),
  done: z.boolean(),
});
export type ContentClaim = z.output<typeof claim>;

/** Who converts which content: one claim per content key, so that the converter runs once for the same bytes and settings. */
export class ContentClaims {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** Claims the content if nobody has; answers with the claim that holds. */
  async claim(contentKey: string, conversionId: string): Promise<ContentClaim> {
    return this.#change(contentKey, conversionId, (current) =>
      current === undefined ? { holder: conversionId, done: false } : undefined,
    );
  }

  /** Takes an unfinished claim over from a holder that failed; whoever is first has it. */
  async takeOver(contentKey: string, from: string, conversionId: string): Promise<ContentClaim> {
    return this.#change(contentKey, conversionId, (current) =>
      current === undefined || (!current.done && current.holder === from)
        ? { holder: conversionId, done: false }
        : undefined,
    );
  }

  /** Marks the content as stored. */
  async finish(contentKey: string, conversionId: string): Promise<void> {
    await this.#change(contentKey, conversionId, (current) =>
      current?.done ? undefined : { holder: conversionId, done: true },
    );
  }

  /** Takes a content back that is stored no more, as after somebody emptied the container: it is to be converted again. */
  async reopen(contentKey: string, conversionId: string): Promise<void> {
    await this.#change(contentKey, conversionId, (current) =>
      current?.done ? { holder: conversionId, done: false } : undefined,
    );
  }

  async #change(
    contentKey: string,
    conversionId: string,
    change: (current: ContentClaim | undefined) => ContentClaim | undefined,
  ): Promise<ContentClaim> {
    const key = { partitionKey: `content-${contentKey.charAt(0)}`, rowKey: contentKey };
    return (await changeSharedRow(this.#table, key, claim, change)) ?? { holder: conversionId, done: false };
  }
}
