/**
 * Makes one save serve everybody who asks while it waits: at most one save runs and at most one waits.
 * Whoever asks gets a save that began after asking, so that it holds everything changed before.
 * @throws (rejects) what `save` throws, to all who shared it; the next to ask starts a new one
 */
export function sharedSave(save: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;

  const begin = (): Promise<void> => {
    waiting = undefined;
    const current = save().finally(() => {
      if (running === current) running = undefined;
    });
    running = current;
    return current;
  };

  return () => {
    if (waiting) return waiting;
    if (!running) return begin();
    waiting = running.then(begin, begin);
    return waiting;
  };
}
