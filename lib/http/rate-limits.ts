import { ProblemError } from './problem.ts';
import { Remembered } from './remembered.ts';

const MINUTE = 60_000;
const CALLERS = 100_000;

/** How often each caller may ask this instance for a token: so many at once, and again as many over each minute. */
export class RateLimits {
  readonly #perMinute: number;
  readonly #now: () => Date;
  readonly #buckets: Remembered<{ left: number; at: number }>;

  constructor(perMinute: number, now: () => Date) {
    this.#perMinute = perMinute;
    this.#now = now;
    this.#buckets = new Remembered(CALLERS, now);
  }

  /** Counts one request. @throws ProblemError 429, with the seconds after which there is one again in Retry-After */
  take(caller: string): void {
    const wait = this.secondsUntilNext(caller);
    if (wait === undefined) return;
    throw new ProblemError({
      status: 429,
      type: 'too-many-requests',
      title: 'Too many requests',
      detail: `A caller may ask for ${this.#perMinute} tokens a minute; keep a token until it is about to expire. Try again in ${wait} s.`,
      headers: { 'Retry-After': String(wait) },
    });
  }

  /** Counts one request; where there is none left, the whole seconds until there is. */
  secondsUntilNext(caller: string): number | undefined {
    const at = this.#now().getTime();
    const bucket = this.#buckets.get(caller) ?? { left: this.#perMinute, at };
    // A clock that was set back must not take away what a caller has.
    const refilled = Math.max(0, at - bucket.at) * (this.#perMinute / MINUTE);
    const left = Math.min(this.#perMinute, bucket.left + refilled);
    if (left < 1) {
      this.#buckets.set(caller, { left, at }, at + MINUTE);
      return Math.ceil(((1 - left) * MINUTE) / this.#perMinute / 1000);
    }
    this.#buckets.set(caller, { left: left - 1, at }, at + MINUTE);
    return undefined;
  }
}
