import type { LiveEvent } from '#lib/api';
import { type Audience, type LiveEvents, PubSubError } from '#lib/pubsub';

/** A Web PubSub that remembers what it is asked, and that can be lost. */
export class FakeLiveEvents implements LiveEvents {
  /** What arrived, in order: also that whose sender was told of a failure. */
  readonly published: { readonly event: LiveEvent; readonly audience: Audience }[] = [];
  /** What was sent again, in order, and to whom. */
  readonly repeated: {
    readonly event: LiveEvent;
    readonly audience: Audience;
    readonly connectionIds: readonly string[] | 'everyone';
  }[] = [];
  /** What was done to connections, in order, as `close ada`. */
  readonly asked: string[] = [];
  readonly droppedOthers: Audience[] = [];
  /** How often it was asked to publish, whatever came of it. */
  tries = 0;
  /** How many events of one subject were on their way at the same time, at most. */
  mostAtOnce = 0;
  /** How many events of all subjects were, at most. */
  mostInAll = 0;
  /**
   * `lost`: it refuses all. `throttling`: the same, and wants to be left alone. `silent`: it never answers, whatever the signal says.
   * `forgetful`: it publishes, and its answer is lost.
   */
  state: 'well' | 'lost' | 'throttling' | 'silent' | 'forgetful' = 'well';
  retryAfterSeconds = 30;
  /** How long it takes for an event. */
  milliseconds = 0;
  readonly #onTheirWay = new Map<string, number>();

  async publish(event: LiveEvent, audience: Audience): Promise<void> {
    this.tries += 1;
    const before = this.#onTheirWay.get(event.subject) ?? 0;
    this.#onTheirWay.set(event.subject, before + 1);
    this.mostAtOnce = Math.max(this.mostAtOnce, before + 1);
    this.mostInAll = Math.max(this.mostInAll, sum(this.#onTheirWay.values()));
    try {
      await this.#answer();
      this.published.push({ event, audience });
      if (this.state === 'forgetful') throw new Error('the connection was reset');
    } finally {
      this.#onTheirWay.set(event.subject, (this.#onTheirWay.get(event.subject) ?? 1) - 1);
    }
  }

  async repeat(event: LiveEvent, audience: Audience, connectionIds: readonly string[] | 'everyone'): Promise<void> {
    await this.#answer();
    this.repeated.push({ event, audience, connectionIds });
  }

  async closeUser(subject: string): Promise<void> {
    this.asked.push(`close ${subject}`);
    await this.#answer();
  }

  async dropReader(subject: string, pipelineId: string): Promise<void> {
    this.asked.push(`drop ${subject} from ${pipelineId}`);
    await this.#answer();
  }

  async dropOthers(audience: Audience): Promise<void> {
    this.asked.push(`drop others from ${audience.pipelineId}`);
    this.droppedOthers.push(audience);
    await this.#answer();
  }

  /** The sequence numbers that arrived of one subject, in order. */
  sequences(subject: string): number[] {
    return this.published.filter(({ event }) => event.subject === subject).map(({ event }) => event.data.sequence);
  }

  async #answer(): Promise<void> {
    if (this.state === 'lost') throw new Error('Web PubSub gives no answer');
    if (this.state === 'throttling') {
      const { retryAfterSeconds } = this;
      throw new PubSubError('throttled', 'Web PubSub answered 429', { retryAfterSeconds });
    }
    if (this.state === 'silent') await new Promise(() => undefined);
    if (this.milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, this.milliseconds));
  }
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0);
}
