import type { ListedBlob } from './blob-created.ts';

export interface DeliveryOptions {
  /** Fulfilled when the event is acknowledged. */
  readonly post: (blob: ListedBlob) => Promise<void>;
  /** What was acknowledged before: ETag by path. */
  readonly acknowledged: ReadonlyMap<string, string>;
  /** Keeps what is acknowledged now. */
  readonly save: (acknowledged: ReadonlyMap<string, string>) => Promise<void>;
  /** Milliseconds of a clock. */
  readonly now: () => number;
  readonly onFailure?: (blob: ListedBlob, error: unknown, retryMilliseconds: number) => void;
}

export interface Delivery {
  /** Takes a complete listing: posts what is new in it or due again, and forgets what is no longer there. */
  offer(blobs: readonly ListedBlob[]): void;
  /** Posts nothing more, and waits for what is on its way. */
  stop(): Promise<void>;
}

const postsAtOnce = 16;
const longestPauseMilliseconds = 30_000;

/**
 * Announces every version of every blob at least once. One that is not acknowledged is tried again after 1, 2, 4 … 30 seconds, on its
 * own: it holds no other up.
 */
export function createDelivery(options: DeliveryOptions): Delivery {
  const acknowledged = new Map(options.acknowledged);
  const retries = new Map<string, { readonly eTag: string; readonly attempts: number; readonly notBefore: number }>();
  const onTheirWay = new Map<string, Promise<void>>();
  let queue: ListedBlob[] = [];

  const isDue = (blob: ListedBlob) => {
    if (acknowledged.get(blob.path) === blob.eTag || onTheirWay.has(blob.path)) return false;
    const retry = retries.get(blob.path);
    return retry?.eTag !== blob.eTag || retry.notBefore <= options.now();
  };

  const deliver = async (blob: ListedBlob) => {
    try {
      await options.post(blob);
      retries.delete(blob.path);
      acknowledged.set(blob.path, blob.eTag);
      await options.save(acknowledged);
    } catch (error) {
      const last = retries.get(blob.path);
      const attempts = last?.eTag === blob.eTag ? last.attempts + 1 : 1;
      const pause = Math.min(1000 * 2 ** (attempts - 1), longestPauseMilliseconds);
      retries.set(blob.path, { eTag: blob.eTag, attempts, notBefore: options.now() + pause });
      options.onFailure?.(blob, error, pause);
    }
  };

  const pump = () => {
    while (onTheirWay.size < postsAtOnce) {
      const blob = queue.shift();
      if (!blob) return;
      const done = deliver(blob).finally(() => {
        onTheirWay.delete(blob.path);
        pump();
      });
      onTheirWay.set(blob.path, done);
    }
  };

  return {
    offer(blobs) {
      const there = new Set(blobs.map((blob) => blob.path));
      for (const known of [acknowledged, retries]) {
        for (const path of known.keys()) if (!there.has(path)) known.delete(path);
      }
      queue = blobs.filter(isDue).sort((one, other) => one.lastModified.getTime() - other.lastModified.getTime());
      pump();
    },
    async stop() {
      queue = [];
      await Promise.all(onTheirWay.values());
    },
  };
}
