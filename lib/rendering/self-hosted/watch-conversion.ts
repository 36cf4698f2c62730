import { setTimeout as sleep } from 'node:timers/promises';
import type { ConversionProgress } from '#lib/conversion';
import type { Change, ConversionRecord } from '#lib/records';
import type { SelfHostedParts } from './parts.ts';

/** Between two looks at the record: so soon is a wish seen, so often at most is progress written down. */
const LOOK_MILLISECONDS = 500;

/** What work does that runs beside the watch over its conversion's record. */
export interface WatchedWork {
  /** Aborts once the conversion is not to go on: somebody wishes it to end, or it has ended elsewhere. */
  readonly signal: AbortSignal;
  /** Takes progress, of which the newest is written into the record. */
  readonly tell: (progress: ConversionProgress) => void;
}

/** Runs a conversion's work, and meanwhile looks at its record: for a wish that it stops, and to write down how far it is. */
export async function watchConversion<T>(
  parts: SelfHostedParts,
  id: string,
  work: (watched: WatchedWork) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const over = new AbortController();
  let newest: ConversionProgress | undefined;
  const watch = async () => {
    while (await sleep(LOOK_MILLISECONDS, true, { signal: over.signal }).catch(() => false)) {
      const progress = newest;
      const record = await parts.conversions
        .update(id, (current) => withProgress(current, progress))
        // The next look is soon; the work itself meets whatever is wrong.
        .catch(() => undefined);
      if (record !== undefined && (record.state !== 'running' || record.desired !== undefined)) return stop.abort();
    }
  };
  const watching = watch();
  try {
    return await work({ signal: stop.signal, tell: (progress) => (newest = progress) });
  } finally {
    over.abort();
    await watching;
  }
}

/** The record with progress that is new; each phase is told of once, when it is first seen, sizes that change within it are not. */
export function withProgress(
  current: ConversionRecord,
  progress: ConversionProgress | undefined,
): Change<ConversionRecord> | undefined {
  if (current.state !== 'running' || current.desired !== undefined || progress === undefined) return undefined;
  if (JSON.stringify(current.progress) === JSON.stringify(progress)) return undefined;
  const record = { ...current, progress };
  if (current.progress?.phase === progress.phase) return { record };
  return { record, event: { type: 'progress', evidence: progress.phase, progress } };
}
