import { join } from 'node:path';
import { ConversionError, type ConversionOutcome, contentKey, convert, type FailedConversion } from '#lib/conversion';
import type { NextStep } from '#lib/durable';
import type { Change, ConversionFailure, ConversionRecord } from '#lib/records';
import { type FetchedModel, fetchModel } from './fetch-model.ts';
import { limitsOf, withSetting } from './limits.ts';
import type { SelfHostedParts } from './parts.ts';
import {
  forRecord,
  publishCancelled,
  publishContent,
  publishFailure,
  publishSuccess,
  readContent,
  shortened,
} from './publish.ts';
import { type WatchedWork, watchConversion, withProgress } from './watch-conversion.ts';
import { inWorkspace } from './workspaces.ts';

/** While another conversion of the same content runs, or every converter is busy. */
const WAITING_SECONDS = 0.5;
/** A converter that took its host down so often is not started again. */
const MAX_ATTEMPTS = 10;
/** Something that fails so often, some seconds apart, will not pass. */
const MAX_FAULTS = 10;

export type ConversionStep = 'conversionRun';

/** Which step a conversion's record names. */
export function nextConversionStep(record: ConversionRecord): NextStep & { readonly step: ConversionStep | null } {
  return { step: record.state === 'not_started' || record.state === 'running' ? 'conversionRun' : null };
}

/**
 * Moves a conversion to its end, or says when to look again. The converter runs once per content: whoever claims the content first
 * runs it, all others wait for that and copy, or take over if it fails or is cancelled. Every part may run twice and writes the same both
 * times.
 */
export async function runConversion(parts: SelfHostedParts, id: string): Promise<Date> {
  const record = await parts.conversions.update(id, (current) => started(current, parts.now()));
  if (record.state !== 'running') return parts.now();
  try {
    return (await move(parts, record)) ? parts.now() : soon(parts);
  } catch (error) {
    const { state, desired } = await parts.conversions.get(id);
    // Work that was broken off, because a wish was seen, is no fault: the wish is acted on at once.
    if (state !== 'running' || (desired !== undefined && record.desired === undefined))
      return await runConversion(parts, id);
    const { faults } = await parts.conversions.update(id, oneMoreFault);
    if (faults < MAX_FAULTS) throw error;
    const why = error instanceof Error ? error.message : String(error);
    await fail(parts, id, { reason: 'internal_error', message: `It failed ${faults} times: ${why}`, warnings: [] });
    return parts.now();
  }
}

/** @returns false where it has to wait; else the record tells what comes next */
async function move(parts: SelfHostedParts, record: ConversionRecord): Promise<boolean> {
  const { id, contentKey: key, desired } = record;
  if (desired !== undefined) return await cancel(parts, record, desired);
  if (key !== undefined && (await settleByContent(parts, record, key))) return true;
  const converting = key === undefined ? undefined : await conversionToWaitFor(parts, record, key);
  if (converting !== undefined) {
    await parts.conversions.update(id, (current) => withProgress(current, converting.progress));
    return false;
  }
  const work = () =>
    watchConversion(parts, id, (watched) => inWorkspace((workspace) => fetchAndConvert(parts, id, workspace, watched)));
  return (await parts.places.tryRun(work)) ?? false;
}

async function fetchAndConvert(
  parts: SelfHostedParts,
  id: string,
  workspace: string,
  watched: WatchedWork,
): Promise<boolean> {
  const current = await parts.conversions.get(id);
  let inputBytes = 0;
  const onSize = (bytes: number) => {
    inputBytes = bytes;
    watched.tell({ phase: 'reading', inputBytes });
  };
  const directory = join(workspace, 'input');
  const fetched = await fetchModel(
    parts.blobs,
    current,
    directory,
    limitsOf(parts.config),
    watched.signal,
    onSize,
  ).catch(asRefusal);
  if (fetched instanceof ConversionError) {
    await fail(parts, id, failureOf(fetched, []));
    return true;
  }
  const key = contentKey(fetched);
  const record = await parts.conversions.update(id, (latest) => withContentKey(latest, key, fetched.settingsOfFile));
  if (await settleByContent(parts, record, key)) return true;
  if ((await conversionToWaitFor(parts, record, key)) !== undefined) return false;
  const tell: WatchedWork['tell'] = (progress) => watched.tell({ inputBytes, ...progress });
  await convertFetched(parts, record, key, fetched, workspace, { ...watched, tell });
  return true;
}

async function convertFetched(
  parts: SelfHostedParts,
  record: ConversionRecord,
  key: string,
  { directory, file, settings }: FetchedModel,
  workspace: string,
  { signal, tell: onProgress }: WatchedWork,
): Promise<void> {
  const { attempts } = await parts.conversions.update(record.id, oneMoreAttempt);
  const outputDirectory = join(workspace, 'output');
  const limits = limitsOf(parts.config);
  const outcome =
    attempts > MAX_ATTEMPTS
      ? gaveUp(attempts)
      : await convert({ directory, file, outputDirectory, settings, limits, signal, onProgress });
  signal.throwIfAborted();
  if (outcome.status === 'failed') {
    await fail(parts, record.id, failureOf(outcome.error, outcome.warnings));
    return;
  }
  await publishContent(parts, key, outcome, signal);
  await parts.claims.finish(key, record.id);
  await settleByContent(parts, record, key);
}

/** Leaves the result file alone, also of what was published already, and ends the conversion. */
async function cancel(
  parts: SelfHostedParts,
  { id }: ConversionRecord,
  { reason, evidence, at }: NonNullable<ConversionRecord['desired']>,
): Promise<boolean> {
  await publishCancelled(parts, await parts.conversions.get(id), evidence);
  const endedAt = parts.now().toISOString();
  await parts.conversions.update(id, (current) =>
    current.state === 'running'
      ? { record: { ...current, state: 'cancelled', endedAt, ending: { reason, evidence, at } } }
      : undefined,
  );
  return true;
}

/** Publishes what is stored for the content under this conversion's own names. @returns false where nothing is stored yet */
async function settleByContent(parts: SelfHostedParts, record: ConversionRecord, key: string): Promise<boolean> {
  const claim = await parts.claims.claim(key, record.id);
  if (!claim.done) return false;
  const content = await readContent(parts, key);
  if (content === undefined) {
    await parts.claims.reopen(key, record.id);
    return false;
  }
  const result = await publishSuccess(parts, record, key, content, claim.holder !== record.id);
  await parts.conversions.update(record.id, (current) => succeeded(current, result, parts.now()));
  return true;
}

/** The conversion that runs the converter for this content; undefined where that is this one's to do, also after one that came to nothing. */
async function conversionToWaitFor(
  parts: SelfHostedParts,
  record: ConversionRecord,
  key: string,
): Promise<ConversionRecord | undefined> {
  const claim = await parts.claims.claim(key, record.id);
  if (claim.holder === record.id) return undefined;
  const holder = await parts.conversions.read(claim.holder);
  if (holder !== undefined && holder.state !== 'failed' && holder.state !== 'cancelled') return holder;
  const { holder: next } = await parts.claims.takeOver(key, claim.holder, record.id);
  return next === record.id ? undefined : await conversionToWaitFor(parts, record, key);
}

async function fail(parts: SelfHostedParts, id: string, whole: ConversionFailure): Promise<void> {
  await publishFailure(parts, await parts.conversions.get(id), whole);
  const failure = { ...whole, message: shortened(whole.message, 2000), warnings: forRecord(whole.warnings) };
  await parts.conversions.update(id, (current) =>
    current.state === 'running'
      ? { record: { ...current, state: 'failed', failure, endedAt: parts.now().toISOString() } }
      : undefined,
  );
}

function started(current: ConversionRecord, now: Date): Change<ConversionRecord> | undefined {
  if (current.state !== 'not_started') return undefined;
  return { record: { ...current, state: 'running', startedAt: now.toISOString() } };
}

function succeeded(
  current: ConversionRecord,
  result: Extract<ConversionRecord, { state: 'succeeded' }>['result'],
  now: Date,
): Change<ConversionRecord> | undefined {
  // A wish that came before the end holds: what is published already is taken back.
  if (current.state !== 'running' || current.desired !== undefined) return undefined;
  return { record: { ...current, state: 'succeeded', result, endedAt: now.toISOString() } };
}

function withContentKey(
  { settingsOfFile: _former, ...current }: ConversionRecord,
  contentKey: string,
  settingsOfFile: ConversionRecord['settings'],
): Change<ConversionRecord> | undefined {
  if (current.state !== 'running') return undefined;
  return { record: { ...current, contentKey, ...(settingsOfFile !== undefined && { settingsOfFile }) } };
}

function oneMoreAttempt(current: ConversionRecord): Change<ConversionRecord> | undefined {
  return current.state === 'running' ? { record: { ...current, attempts: current.attempts + 1 } } : undefined;
}

function oneMoreFault(current: ConversionRecord): Change<ConversionRecord> | undefined {
  return current.state === 'running' ? { record: { ...current, faults: current.faults + 1 } } : undefined;
}

function gaveUp(attempts: number): ConversionOutcome {
  const message = `The conversion was started ${attempts - 1} times and its host ended each time before it did; it is not tried again.`;
  return { status: 'failed', error: { code: 'conversion_failed', message }, warnings: [] };
}

/** What a model is refused for is no fault of ours; anything else is. */
function asRefusal(error: unknown): ConversionError {
  if (error instanceof ConversionError) return error;
  throw error;
}

/** A bound that was met while the converter ran is a limit like those that were met before. */
function failureOf(
  { code, message, limit }: FailedConversion['error'] | ConversionError,
  warnings: ConversionFailure['warnings'],
): ConversionFailure {
  const words = withSetting(message, limit);
  if (code === 'timeout' || code === 'memory') return { reason: 'limit', message: words, warnings };
  return { reason: code === 'cancelled' ? 'conversion_failed' : code, message: words, warnings };
}

function soon(parts: SelfHostedParts): Date {
  return new Date(parts.now().getTime() + WAITING_SECONDS * 1000);
}
