import { once } from 'node:events';

/** Waits for work until the signal aborts; the work itself goes on. @throws what the work throws, or the signal's reason */
export async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (!signal.aborted) await Promise.race([work, once(signal, 'abort')]);
  // What comes of it afterwards is nobody's any more.
  if (signal.aborted) work.catch(() => undefined);
  signal.throwIfAborted();
  return await work;
}
