import { isDeepStrictEqual } from 'node:util';
import type { NextStep } from '#lib/durable';
import { type Change, type PipelineRecord, type Reason, terminalStateOf } from '#lib/records';
import { RenderingError, type Session } from '#lib/rendering';
import { type MissingFiles, missingFiles } from './missing-files.ts';
import type { PipelineParts } from './parts.ts';

/** Between two looks at files that a model waits for, where no upload wakes the pipeline earlier, and at a session that runs. */
const FILES_SECONDS = 10;
const WATCH_SECONDS = 5;

/** The steps of a pipeline's orchestration, in the order of the journey: each is one activity. */
export type PipelineStep =
  | 'pipelineAwaitFiles'
  | 'pipelineConvert'
  | 'pipelineStartSession'
  | 'pipelineWatchSession'
  | 'pipelineStop';

const STEP_OF_STATE = {
  waiting: 'pipelineAwaitFiles',
  converting: 'pipelineConvert',
  starting: 'pipelineStartSession',
  ready: 'pipelineWatchSession',
  stopping: 'pipelineStop',
  stopped: null,
  converted: null,
  failed: null,
} as const satisfies Record<PipelineRecord['state'], PipelineStep | null>;

/** Which step a pipeline's record names. */
export function nextPipelineStep(record: PipelineRecord): NextStep & { readonly step: PipelineStep | null } {
  const step = STEP_OF_STATE[record.state];
  return { step: step !== null && record.desired !== undefined ? 'pipelineStop' : step };
}

/**
 * waiting -> converting, once every file that the model refers to is there, or has been waited for long enough: what is still missing
 * then is for the conversion to judge, which leaves its result file.
 * @returns when to look again
 */
export async function awaitFiles(parts: PipelineParts, id: string): Promise<Date> {
  const record = await parts.pipelines.get(id);
  if (record.state !== 'waiting') return parts.now();
  const waitUntil = new Date(record.waitUntil);
  const waited = parts.now() >= waitUntil;
  const look = missingFiles(
    parts.blobs,
    parts.config.MODELS_CONTAINER,
    record.request,
    waited ? undefined : record.awaitedFiles,
  );
  // Waited for long enough, what keeps the look from being taken is the conversion's to meet and to tell.
  const found: MissingFiles = await (waited ? look.catch(() => ({ missing: [] })) : look);
  const missing = found.missing.map(shortened);
  const { awaited } = found;
  if (missing.length === 0 || waited) {
    await advance(parts, id, 'waiting', ({ awaitedFiles: _over, ...current }) => ({
      ...current,
      state: 'converting',
      missingFiles: missing,
    }));
    return parts.now();
  }
  await parts.pipelines.update(id, ({ awaitedFiles, ...current }) =>
    current.state !== 'waiting' || isDeepStrictEqual([current.missingFiles, awaitedFiles], [missing, awaited])
      ? undefined
      : { record: { ...current, missingFiles: missing, ...(awaited && { awaitedFiles: awaited }) } },
  );
  return earlier(waitUntil, soon(parts, FILES_SECONDS));
}

/** converting -> starting, converted or failed: starts the conversion and asks for it as often as its service wants. */
export async function convert(parts: PipelineParts, id: string): Promise<Date> {
  const record = await parts.pipelines.get(id);
  if (record.state !== 'converting') return parts.now();
  const { MODELS_CONTAINER, ASSETS_CONTAINER } = parts.config;
  const { owner, readers, request } = record;
  const { folder, file } = request.model;
  const conversion =
    (await parts.rendering.getConversion(id)) ??
    (await parts.rendering
      .startConversion(id, {
        owner,
        readers,
        input: { container: MODELS_CONTAINER, blobPrefix: `${folder}/`, relativeInputAssetPath: file },
        output: { container: ASSETS_CONTAINER, blobPrefix: `${id}/`, outputAssetFilename: assetName(file) },
        ...(request.settings !== undefined && { settings: request.settings }),
      })
      .catch(asRefusal));
  if (conversion instanceof RenderingError) return refuse(parts, id, 'converting', conversion);
  if (conversion.state === 'succeeded') {
    const { result } = conversion;
    await advance(parts, id, 'converting', (current) => {
      const next = { ...current, conversion: result, warnings: result.warnings };
      return request.session === null
        ? {
            ...next,
            state: 'converted',
            ending: endingNow(parts, 'completed', 'The asset is converted; no session was asked for.'),
          }
        : { ...next, state: 'starting' };
    });
    return parts.now();
  }
  if (conversion.state === 'failed') {
    const { reason, message, warnings } = conversion.failure;
    const ending = endingNow(parts, reason, message);
    await advance(parts, id, 'converting', (current) => ({ ...current, warnings, state: 'failed', ending }));
    return parts.now();
  }
  if (conversion.state === 'cancelled') {
    await advance(parts, id, 'converting', (current) => ({ ...current, state: 'stopping', ending: conversion.ending }));
    return parts.now();
  }
  const { progress } = conversion;
  if (progress !== undefined && !isDeepStrictEqual(record.progress, progress)) {
    await advance(parts, id, 'converting', (current) => ({ ...current, progress }));
  }
  return soon(parts, conversion.retryAfterSeconds);
}

/** starting -> ready: starts the session, says which asset it is to load, and waits until it shows it. */
export async function startSession(parts: PipelineParts, id: string): Promise<Date> {
  const record = await parts.pipelines.get(id);
  if (record.state !== 'starting' || record.request.session === null) return parts.now();
  const { owner, readers } = record;
  const session =
    (await parts.rendering.getSession(id)) ??
    (await parts.rendering.createSession(id, { owner, readers, ...record.request.session }).catch(asRefusal));
  if (session instanceof RenderingError) return refuse(parts, id, 'starting', session);
  if (session.state !== 'starting' && session.state !== 'ready') return sessionEnds(parts, id, session);
  await parts.rendering.loadAsset(id, {
    container: parts.config.ASSETS_CONTAINER,
    blob: `${id}/${assetName(record.request.model.file)}`,
  });
  if (session.state === 'ready' && session.asset.state === 'loaded') {
    const { size, hostname, ports, readyAt, machine } = session;
    await advance(parts, id, 'starting', (current) => ({
      ...current,
      state: 'ready',
      session: { size, hostname, ports, readyAt },
      ...(machine && { machine }),
    }));
    return parts.now();
  }
  if (session.state === 'ready' && session.asset.state === 'failed') {
    await advance(parts, id, 'starting', (current) => ({
      ...current,
      state: 'stopping',
      ending: endingNow(
        parts,
        'provider_error',
        `The session host could not load the asset: ${session.asset.error ?? 'no cause given'}`,
      ),
    }));
    return parts.now();
  }
  return soon(parts, session.retryAfterSeconds);
}

/** ready -> stopping, once the session closes; until then it sleeps, at most to the lease's end as it now is. */
export async function watchSession(parts: PipelineParts, id: string): Promise<Date> {
  const record = await parts.pipelines.get(id);
  if (record.state !== 'ready') return parts.now();
  const session = await parts.rendering.getSession(id);
  if (session?.state === 'starting' || session?.state === 'ready') {
    const next = soon(parts, WATCH_SECONDS);
    const expiresAt = session.lease.expiresAt === undefined ? next : new Date(session.lease.expiresAt);
    return expiresAt > parts.now() ? earlier(expiresAt, next) : soon(parts, session.retryAfterSeconds);
  }
  return sessionEnds(parts, id, session);
}

/**
 * Any state -> stopping -> the terminal state of its reason: asks the session and the conversion to stop and waits until both are seen to
 * have ended.
 */
export async function stop(parts: PipelineParts, id: string): Promise<Date> {
  const record = await parts.pipelines.update(id, stopping);
  if (record.state !== 'stopping') return parts.now();
  const { reason, evidence } = record.ending;
  await parts.rendering.stopSession(id, { reason, evidence });
  await parts.rendering.cancelConversion(id, { reason, evidence });
  const session = await parts.rendering.getSession(id);
  if (session !== undefined && session.state !== 'stopped' && session.state !== 'failed') {
    return soon(parts, session.retryAfterSeconds);
  }
  const conversion = await parts.rendering.getConversion(id);
  if (conversion !== undefined && 'retryAfterSeconds' in conversion) return soon(parts, conversion.retryAfterSeconds);
  await advance(parts, id, 'stopping', (current) => ({
    ...current,
    state: terminalStateOf(reason),
    ending: record.ending,
    ...(session?.machine && { machine: session.machine }),
  }));
  return parts.now();
}

/** The name of a model's converted asset: the input's base name (contract 2.1), as the GLB that it is. */
export function assetName(file: string): string {
  return `${file.replace(/^.*\//, '').replace(/\.[^.]*$/, '')}.glb`;
}

/** A refusal by rule stays one however often it is asked again; any other failure is worth another pass. */
function asRefusal(error: unknown): RenderingError {
  if (error instanceof RenderingError) return error;
  throw error;
}

async function refuse(
  parts: PipelineParts,
  id: string,
  from: PipelineRecord['state'],
  { message }: RenderingError,
): Promise<Date> {
  const ending = endingNow(parts, 'internal_error', message);
  await advance(parts, id, from, (current) => ({ ...current, state: 'failed', ending }));
  return parts.now();
}

async function sessionEnds(parts: PipelineParts, id: string, session: Session | undefined): Promise<Date> {
  const ending =
    session !== undefined && 'ending' in session
      ? session.ending
      : endingNow(parts, 'internal_error', 'The session has no record any more.');
  await parts.pipelines.update(id, (current) =>
    current.state === 'starting' || current.state === 'ready'
      ? { record: { ...current, state: 'stopping', ending } }
      : undefined,
  );
  return parts.now();
}

function stopping(current: PipelineRecord): Change<PipelineRecord> | undefined {
  if (current.desired === undefined || 'ending' in current) return undefined;
  const { reason, evidence, at } = current.desired;
  return { record: { ...current, state: 'stopping', ending: { reason, evidence, at } } };
}

/** Changes the record only where it still is in the state that the step was run for. */
async function advance(
  parts: PipelineParts,
  id: string,
  from: PipelineRecord['state'],
  change: (current: PipelineRecord) => PipelineRecord,
): Promise<void> {
  await parts.pipelines.update(id, (current) => (current.state === from ? { record: change(current) } : undefined));
}

function shortened(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}

function endingNow(parts: PipelineParts, reason: Reason, evidence: string) {
  return { reason, evidence, at: parts.now().toISOString() };
}

function soon(parts: PipelineParts, seconds: number): Date {
  return new Date(parts.now().getTime() + seconds * 1000);
}

function earlier(one: Date, other: Date): Date {
  return one < other ? one : other;
}
