import { type LiveEvent, type PipelineWithHistory, pipelineId } from '#lib/api';
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

/**
 * What happens to a pipeline, its conversion and its session: first the present state, as an event of the type
 * `remoterendering.pipeline.present`, then every event in order and once. Where the connection is lost it is made again, and the
 * pipeline's events that came meanwhile are read from its history. Ends after the pipeline's terminal state, or when the signal aborts.
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
  seen: ReadonlyMap<string, number>,
  signal: AbortSignal,
): AsyncGenerator<LiveEvent, void> {
  using connection = await connect(await service.connectionUrl(id, signal), signal);
  // Read once the connection is there: what happens from now on comes over it, and what came before is in the record.
  const pipeline = await service.pipeline(id, signal);
  yield* seen.has(subjectOf(id)) ? historyOf(pipeline) : [presentOf(pipeline)];
  for await (const event of connection.events) {
    if (event.data.id === id) yield event;
  }
}

/** A late client gets the present state first, not all that led to it. */
function presentOf(pipeline: PipelineWithHistory): LiveEvent {
  const { state, reason, evidence, history, updatedAt } = pipeline;
  const sequence = history.at(-1)?.sequence ?? 0;
  return eventOf(pipeline.id, 'present', { at: updatedAt, state, sequence, reason, evidence });
}

function historyOf({ id, history }: PipelineWithHistory): LiveEvent[] {
  return history.map((entry) => eventOf(id, entry.type, entry));
}

function eventOf(id: string, type: string, entry: Omit<PipelineWithHistory['history'][number], 'type'>): LiveEvent {
  const { at, state, sequence, reason, evidence } = entry;
  return {
    specversion: '1.0',
    id: `pipeline/${id}/${sequence}`,
    source: 'record',
    type: `remoterendering.pipeline.${type}`,
    subject: subjectOf(id),
    time: at,
    datacontenttype: 'application/json',
    data: { id, state, sequence, ...(reason !== null && { reason }), ...(evidence !== null && { evidence }) },
  };
}

function subjectOf(id: string): string {
  return `/pipelines/${id}`;
}

/** The caller may not, or there is nothing to watch: asking again would not change that. */
function isRefusal(error: unknown): boolean {
  return error instanceof ClientError && [400, 401, 403, 404].includes(error.status ?? 0);
}

async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
