/** What is known until a moment, of as many keys as memory is meant for: the oldest go first. */
export class Remembered<T> {
  readonly #entries = new Map<string, { readonly value: T; readonly until: number }>();
  readonly #capacity: number;
  readonly #now: () => Date;

  constructor(capacity: number, now: () => Date) {
    this.#capacity = capacity;
    this.#now = now;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.until > this.#now().getTime()) return entry?.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** @param until milliseconds since 1970 */
  set(key: string, value: T, until: number): void {
    this.#entries.delete(key);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#capacity) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, until });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
