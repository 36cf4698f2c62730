import type { Metadata, Payload } from './payload.ts';

/** Where a message comes from: the service (hub, user and connection sends, answers of event handlers), or a group. */
export type Origin =
  | { readonly from: 'server' }
  /** `fromUserId` is nobody for a REST call. */
  | { readonly from: 'group'; readonly group: string; readonly fromUserId: string | undefined };

/** One message to any number of connections: written at most once for each protocol. */
export class OutgoingMessage {
  readonly payload: Payload;
  /** In milliseconds since 1970; undefined where it never expires. */
  readonly expiresAt: number | undefined;
  readonly #origin: Origin;
  readonly #metadata: Metadata | undefined;
  #json: Buffer | undefined;
  #beforeSequenceId: Buffer | undefined;

  constructor(
    payload: Payload,
    origin: Origin,
    more: { readonly metadata?: Metadata; readonly expiresAt?: number } = {},
  ) {
    this.payload = payload;
    this.expiresAt = more.expiresAt;
    this.#origin = origin;
    this.#metadata = more.metadata;
  }

  /** The text frame of `json.webpubsub.azure.v1`. */
  json(): Buffer {
    this.#json ??= Buffer.from(`${this.#open()}}`);
    return this.#json;
  }

  /** The text frame of `json.reliable.webpubsub.azure.v1`: the only one that differs by connection. */
  reliableJson(sequenceId: number): Buffer {
    return Buffer.concat([this.#untilSequenceId(), Buffer.from(`${sequenceId}}`)]);
  }

  /** The bare payload: a string is a text frame, a buffer a binary one. */
  raw(): string | Buffer {
    return 'text' in this.payload ? this.payload.text : this.payload.bytes;
  }

  /** How much a reliable connection holds of it, in bytes. */
  get size(): number {
    return this.#untilSequenceId().length;
  }

  #untilSequenceId(): Buffer {
    this.#beforeSequenceId ??= Buffer.from(`${this.#open()},"sequenceId":`);
    return this.#beforeSequenceId;
  }

  /** The frame without its last brace. JSON payloads are put in as they came: big numbers stay what they are. */
  #open(): string {
    const { from, ...group } = this.#origin;
    const origin = 'group' in group ? { ...group, fromUserId: group.fromUserId ?? null } : {};
    const head = JSON.stringify({ type: 'message', from, ...origin, dataType: this.payload.dataType });
    const metadata = this.#metadata ? `,"metadata":${JSON.stringify(this.#metadata)}` : '';
    return `${head.slice(0, -1)},"data":${dataOf(this.payload)}${metadata}`;
  }
}

/** The value of `data` in a JSON frame. */
export function dataOf(payload: Payload): string {
  if (payload.dataType === 'json') return payload.text;
  return JSON.stringify('text' in payload ? payload.text : payload.bytes.toString('base64'));
}
