import { PubSubError } from '#lib/pubsub';

/** How long no commit tries to publish after one that could not, at first and at most: a Web PubSub that is lost slows nobody down. */
const FIRST_PAUSE_MILLISECONDS = 2000;
const LONGEST_PAUSE_MILLISECONDS = 20_000;

/** When Web PubSub is left alone: by commits while it gives no answer, by all who publish for as long as it wishes. */
export class LiveEventPauses {
  readonly #now: () => Date;
  #failures = 0;
  #pausedUntil = 0;
  #silentUntil = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** True while commits leave it alone. */
  isPaused(): boolean {
    return this.#milliseconds() < Math.max(this.#pausedUntil, this.#silentUntil);
  }

  /** After a pause one commit finds out for all the others, which do not wait for it. @returns whether that is the caller */
  probe(): boolean {
    if (this.#failures === 0) return false;
    this.#pause();
    return true;
  }

  /** @throws PubSubError `throttled` while it wishes to be left alone */
  refuseSilenced(): void {
    const milliseconds = this.#silentUntil - this.#milliseconds();
    if (milliseconds <= 0) return;
    const until = new Date(this.#silentUntil).toISOString();
    const retryAfterSeconds = Math.ceil(milliseconds / 1000);
    throw new PubSubError('throttled', `Web PubSub wishes not to be asked before ${until}.`, { retryAfterSeconds });
  }

  /** Takes no wish back: what succeeds may have been on its way before. */
  succeeded(): void {
    this.#failures = 0;
    this.#pausedUntil = 0;
  }

  /** @param wasCutShort where it tells nothing of Web PubSub, unless that answered with a wish */
  failed(error: unknown, wasCutShort: boolean): void {
    const seconds = error instanceof PubSubError ? error.retryAfterSeconds : undefined;
    if (seconds !== undefined) this.#silentUntil = Math.max(this.#silentUntil, this.#milliseconds() + seconds * 1000);
    else if (wasCutShort) return;
    this.#failures += 1;
    this.#pause();
  }

  #pause(): void {
    const pause = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MILLISECONDS);
    this.#pausedUntil = this.#milliseconds() + pause;
  }

  #milliseconds(): number {
    return this.#now().getTime();
  }
}
