import { vi } from 'vitest';

/** Waits until a check holds, as long as a busy computer may need. */
export function waitFor<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 15_000, interval: 25 });
}
