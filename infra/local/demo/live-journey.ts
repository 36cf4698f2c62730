import type { LiveEvent } from '#lib/api';
import type { RemoteRenderingClient } from '#lib/client';

/** An event as it came over the WebSocket. */
export interface ReceivedEvent {
  readonly event: LiveEvent;
  readonly receivedAt: Date;
}

/** What comes live of a pipeline, beside what is read of it. */
export interface LiveJourney {
  /** What has come, once the watch is over: after the pipeline's end, or a moment later where the end does not come. */
  received(): Promise<readonly ReceivedEvent[]>;
}

/** The end of the pipeline is read, and told live, at about the same time. */
const LATEST_MILLISECONDS = 5000;

/** Watches a pipeline in the background. A watch that fails has simply received less: the demo reads the pipeline too. */
export function watchLive(client: RemoteRenderingClient, id: string, signal: AbortSignal): LiveJourney {
  const events: ReceivedEvent[] = [];
  const giveUp = new AbortController();
  const listen = async () => {
    for await (const event of client.watch(id, { signal: AbortSignal.any([signal, giveUp.signal]) })) {
      events.push({ event, receivedAt: new Date() });
    }
  };
  const over = listen().catch(() => undefined);
  return {
    async received() {
      const timer = setTimeout(() => giveUp.abort(), LATEST_MILLISECONDS);
      await over;
      clearTimeout(timer);
      return events;
    },
  };
}
