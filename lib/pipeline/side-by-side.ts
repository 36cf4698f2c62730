/** Works on every item, so many at a time, each for itself. @returns what came of each, in no order */
export async function sideBySide<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<PromiseSettledResult<void>[]> {
  const left = items.values();
  const results: PromiseSettledResult<void>[] = [];
  const workThrough = async () => {
    // All take from the same iterator.
    for (const item of left) results.push(...(await Promise.allSettled([work(item)])));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, workThrough));
  return results;
}
