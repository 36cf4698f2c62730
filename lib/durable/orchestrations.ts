import { createHash } from 'node:crypto';
import type { RecordKind } from '#lib/records';

/** The orchestrator function of each kind of record. */
export const ORCHESTRATORS = {
  pipeline: 'renderPipeline',
  conversion: 'runConversion',
  session: 'holdSession',
} as const satisfies Record<RecordKind, string>;

/** The external event that ends an orchestration's sleep: "read the record again". */
export const WAKE = 'wake';

/** The processes that move records, by the record they move. */
export interface Orchestrations {
  /** Starts the record's orchestration; one that is live already is a success. */
  start(kind: RecordKind, id: string): Promise<void>;
  /** Ends its sleep; one that is not there, or is over, is a success: the reaper starts what is missing. */
  wake(kind: RecordKind, id: string): Promise<void>;
  /** True where an instance exists that is not at its end. */
  isLive(kind: RecordKind, id: string): Promise<boolean>;
}

/** The orchestration's instance id: derived, so that two starts for one record meet; under the 100 characters that storage allows. */
export function instanceIdOf(kind: RecordKind, account: string, id: string): string {
  return `${kind}-${createHash('sha256').update(`${account}/${id}`).digest('base64url')}`;
}
