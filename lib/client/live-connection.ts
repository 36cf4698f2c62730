import { z } from 'zod';
import { type LiveEvent, liveEvent } from '#lib/api';
import { ClientError } from './client-error.ts';

/** A connection to the hub; disposing of it closes it. */
export interface LiveConnection extends Disposable {
  /** Ends when the connection does, which a reader who is far too slow loses: what it misses is in the records. */
  readonly events: AsyncIterable<LiveEvent>;
}

const PROTOCOL = 'json.webpubsub.azure.v1';
const CONNECT_MILLISECONDS = 10_000;
/** The service closes a connection that is silent; a ping also tells a connection that is dead without having been closed. */
const PING_MILLISECONDS = 20_000;
const SILENCE_MILLISECONDS = 60_000;
/** Events that may wait for a reader who is slow. */
const MAX_WAITING = 10_000;

/** The frame that carries an event; other frames are the protocol's own. */
const message = z.object({ type: z.literal('message'), data: liveEvent });
const connected = z.object({ type: z.literal('system'), event: z.literal('connected') });

/**
 * Connects with the URL of a client token, and waits until the service says so.
 * @throws ClientError `unreachable`
 */
export async function connect(url: string, signal: AbortSignal): Promise<LiveConnection> {
  const socket = new WebSocket(url, PROTOCOL);
  const queue = new EventQueue();
  const opened = Promise.withResolvers<void>();
  let heard = Date.now();
  const ended = () => {
    clearInterval(ping);
    clearTimeout(late);
    signal.removeEventListener('abort', close);
    // Not the whole address: it holds the token.
    opened.reject(new ClientError('unreachable', `${new URL(url).origin} took no connection.`));
    queue.end();
  };
  const close = () => {
    // At once: a peer that has fallen silent never answers the close.
    ended();
    socket.close();
  };
  const ping = setInterval(() => {
    if (Date.now() - heard > SILENCE_MILLISECONDS) close();
    else if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
  }, PING_MILLISECONDS);
  const late = setTimeout(close, CONNECT_MILLISECONDS);
  signal.addEventListener('abort', close);
  socket.addEventListener('message', ({ data }) => {
    heard = Date.now();
    const frame = parsed(data);
    if (connected.safeParse(frame).success) opened.resolve();
    const carried = message.safeParse(frame);
    if (!carried.success || queue.isOver) return;
    if (queue.length < MAX_WAITING) queue.push(carried.data.data);
    else close();
  });
  socket.addEventListener('close', ended);
  // The close that follows tells all there is to tell.
  socket.addEventListener('error', () => undefined);
  if (signal.aborted) close();
  await opened.promise.finally(() => clearTimeout(late));
  return { events: queue, [Symbol.dispose]: close };
}

function parsed(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return undefined;
  }
}

/** Events in the order of their coming, for one reader. */
class EventQueue implements AsyncIterable<LiveEvent> {
  readonly #waiting: LiveEvent[] = [];
  #ended = false;
  #wake: () => void = () => undefined;

  get length(): number {
    return this.#waiting.length;
  }

  get isOver(): boolean {
    return this.#ended;
  }

  push(event: LiveEvent): void {
    this.#waiting.push(event);
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LiveEvent, void> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) yield next;
      else if (this.#ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
