import { type LiveEvent, liveEventOf, type PipelineWithHistory, pipelineId } from '#lib/api';
import { ClientError } from './client-error.ts';
import { connect } from './live-connection.ts';

/** What a watch needs of its client. */
export interface WatchedService {
  pipeline(id: string, signal: AbortSignal): Promise<PipelineWithHistory>;
  /** Where to connect, with a token for the pipeline's group. */
  connectionUrl(id: string, signal: AbortSignal): Promise<string>;
}

const FIRST_PAUSE_MILLISECONDS = 200;
const LONGEST_PAUSE_MILLISECONDS = 5000;
const TERMINAL: ReadonlySet<string> = new Set(['stopped', 'converted', 'failed']);

const OPERATORS: ReadonlySet<string> = new Set(['no-live-events', 'web-pubsub-permission', 'web-pubsub-refused']);

/**
 * What happens to a pipeline, its conversion and its session: first the present state, as an event of the type
 * `remoterendering.pipeline.present`, then every event in order and once. Where the connection is lost it is made again, and what
 * happened meanwhile is read from the records. Ends after the pipeline's terminal state, or when the signal aborts.
 * @throws ClientError where the service refuses the caller; what may pass is tried again
 */
export async function* watchPipeline(
  service: WatchedService,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent, void> {
  pipelineId.parse(id);
  const seen = new Map<string, number>();
  for (let pause = FIRST_PAUSE_MILLISECONDS; !signal.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS)) {
    for await (const event of untilLost(service, id, seen, signal)) {
      if (isRepeat(event, seen)) continue;
      pause = FIRST_PAUSE_MILLISECONDS;
      yield event;
      if (isEnd(event, id)) return;
    }
    await sleep(pause, signal);
  }
}

/** Keeps in mind how far each subject is. */
function isRepeat({ subject, data: { sequence } }: LiveEvent, seen: Map<string, number>): boolean {
  if ((seen.get(subject) ?? -1) >= sequence) return true;
  seen.set(subject, sequence);
  return false;
}

function isEnd({ subject, data: { state } }: LiveEvent, id: string): boolean {
  return subject === subjectOf(id) && TERMINAL.has(state);
}

/** One connection, until it is lost, cannot be had or is not wanted any more. */
async function* untilLost(...parameters: Parameters<typeof eventsOfConnection>): AsyncGenerator<LiveEvent, void> {
  const [, , , signal] = parameters;
  try {
    yield* eventsOfConnection(...parameters);
  } catch (error) {
    if (!signal.aborted && isRefusal(error)) throw error;
  }
}

async function* eventsOfConnection(
  service: WatchedService,
  id: string,
  seen: Map<string, number>,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent, void> {
  using connection = await connect(await service.connectionUrl(id, signal), signal);
  // Read once the connection is there: what happens from now on comes over it, and what came before is in the records.
  const past = pastOf(await service.pipeline(id, signal));
  if (seen.size > 0) yield* past;
  else {
    // A late client gets the present state first, not all that led to it.
    const present = past.findLast(({ subject }) => subject === subjectOf(id));
    for (const event of past) if (event !== present) isRepeat(event, seen);
    seen.delete(subjectOf(id));
    if (present !== undefined) yield { ...present, type: 'remoterendering.pipeline.present' };
  }
  for await (const event of connection.events) {
    if (event.data.id !== id) continue;
    // Order holds within a subject: what has led to the end may come after it, and nobody would listen any more.
    if (isEnd(event, id)) yield* pastOf(await service.pipeline(id, signal));
    yield event;
  }
}

/** All that happened to the pipeline, its conversion and its session until it was read, in the order of its happening. */
function pastOf({ id, history, conversionHistory, sessionHistory }: PipelineWithHistory): LiveEvent[] {
  return [
    ...conversionHistory.map((entry) => liveEventOf('record', 'conversion', id, entry)),
    ...sessionHistory.map((entry) => liveEventOf('record', 'session', id, entry)),
    ...history.map((entry) => liveEventOf('record', 'pipeline', id, entry)),
  ].toSorted((one, other) => Date.parse(one.time) - Date.parse(other.time));
}

function subjectOf(id: string): string {
  return `/pipelines/${id}`;
}

/** What waiting does not change: the caller may not, there is nothing to watch, or the operator must see to Web PubSub. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  return [400, 401, 403, 404].includes(error.status ?? 0) || OPERATORS.has(error.code);
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
