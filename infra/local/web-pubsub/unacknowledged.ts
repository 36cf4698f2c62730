import type { OutgoingMessage } from './outgoing-message.ts';

/** A message that its client has not acknowledged. */
export interface Numbered {
  readonly sequenceId: number;
  readonly message: OutgoingMessage;
  /** Of its frame, in bytes. */
  readonly size: number;
}

const MESSAGE_LIMIT = 1000;
const BYTE_LIMIT = 16 * 1024 * 1024;

/** The messages of one reliable connection that would be sent again after a drop, numbered from 1. */
export class Unacknowledged {
  #waiting: Numbered[] = [];
  /** Those of `#waiting` before it are acknowledged. */
  #first = 0;
  #bytes = 0;
  #lastSequenceId = 0;

  /** Undefined where there is no more room: then the connection is beyond recovery. */
  append(message: OutgoingMessage): Numbered | undefined {
    const numbered = { sequenceId: this.#lastSequenceId + 1, message, size: message.size };
    const count = this.#waiting.length - this.#first;
    if (count >= MESSAGE_LIMIT || this.#bytes + numbered.size > BYTE_LIMIT) return undefined;
    this.#lastSequenceId = numbered.sequenceId;
    this.#bytes += numbered.size;
    this.#waiting.push(numbered);
    return numbered;
  }

  /** Forgets everything up to and with the given number. */
  acknowledge(sequenceId: number): void {
    for (
      let next = this.#waiting[this.#first];
      next && next.sequenceId <= sequenceId;
      next = this.#waiting[this.#first]
    ) {
      this.#bytes -= next.size;
      this.#first += 1;
    }
    // Cut off now and then, not each time: that keeps an acknowledgement cheap.
    if (this.#first >= MESSAGE_LIMIT || this.#first === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
  }

  /** In order, without those that have expired. */
  all(now: number): readonly Numbered[] {
    return this.#waiting.slice(this.#first).filter(({ message: { expiresAt } }) => !expiresAt || expiresAt > now);
  }
}
