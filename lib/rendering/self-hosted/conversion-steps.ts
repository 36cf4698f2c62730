import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConversionOutcome, contentKey, convert, parseConversionSettings } from '#lib/conversion';
import type { NextStep } from '#lib/durable';
import type { Change, ConversionFailure, ConversionRecord } from '#lib/records';
import { type FetchedModel, fetchModel } from './fetch-model.ts';
import type { SelfHostedParts } from './parts.ts';
import { forRecord, publishContent, publishFailure, publishSuccess, readContent, shortened } from './publish.ts';

/** While another conversion of the same content runs, or every converter is busy. */
const WAITING_SECONDS = 0.5;
/** A converter that took its host down so often is not started again. */
const MAX_ATTEMPTS = 10;
/** Something that fails so often, some seconds apart, will not pass. */
const MAX_FAULTS = 10;

export type ConversionStep = 'conversionRun';

/** Which step a conversion's record names. */
export function nextConversionStep(record: ConversionRecord): NextStep & { readonly step: ConversionStep | null } {
  return { step: record.state === 'succeeded' || record.state === 'failed' ? null : 'conversionRun' };
}

/**
 * Moves a conversion to its end, or says when to look again. The converter runs once per content: whoever claims the content first
 * runs it, all others wait for that and copy, or take over if it fails. Every part may run twice and writes the same both times.
 */
export async function runConversion(parts: SelfHostedParts, id: string): Promise<Date> {
  const record = await parts.conversions.update(id, (current) => started(current, parts.now()));
  if (record.state !== 'running') return parts.now();
  if (record.contentKey !== undefined && (await settleByContent(parts, record, record.contentKey))) return parts.now();
  if (record.contentKey !== undefined && !(await holdsClaim(parts, record, record.contentKey))) return soon(parts);
  try {
    const done = await parts.places.tryRun(() => fetchAndConvert(parts, id));
    return done ? parts.now() : soon(parts);
  } catch (error) {
    const { faults } = await parts.conversions.update(id, oneMoreFault);
    if (faults < MAX_FAULTS) throw error;
    const why = error instanceof Error ? error.message : String(error);
    await fail(parts, id, { reason: 'internal_error', message: `It failed ${faults} times: ${why}`, warnings: [] });
    return parts.now();
  }
}

/** @returns true where the record is terminal now, false where it has to wait */
async function fetchAndConvert(parts: SelfHostedParts, id: string): Promise<boolean> {
  const workspace = await mkdtemp(join(tmpdir(), 'conversion-'));
  try {
    const current = await parts.conversions.get(id);
    const maxBytes = parts.config.CONVERSION_MAX_INPUT_BYTES;
    const fetched = await fetchModel(parts.blobs, current, join(workspace, 'input'), maxBytes);
    if (fetched.status === 'failed') {
      await fail(parts, id, fetched.failure);
      return true;
    }
    const settings = parseConversionSettings(current.settings);
    const key = contentKey({ files: fetched.files, settings });
    const record = await parts.conversions.update(id, (latest) => withContentKey(latest, key));
    if (await settleByContent(parts, record, key)) return true;
    if (!(await holdsClaim(parts, record, key))) return false;
    await convertFetched(parts, record, key, fetched, workspace);
    return true;
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

async function convertFetched(
  parts: SelfHostedParts,
  record: ConversionRecord,
  key: string,
  fetched: FetchedModel,
  workspace: string,
): Promise<void> {
  const { attempts } = await parts.conversions.update(record.id, oneMoreAttempt);
  const outcome: ConversionOutcome =
    attempts > MAX_ATTEMPTS
      ? gaveUp(attempts)
      : await convert({
          directory: fetched.directory,
          file: fetched.file,
          outputDirectory: join(workspace, 'output'),
          settings: parseConversionSettings(record.settings),
          limits: {
            inputBytes: parts.config.CONVERSION_MAX_INPUT_BYTES,
            inputFiles: 10_000,
            nodes: 1_000_000,
            vertices: 100_000_000,
            texturePixels: 2 ** 28,
            unpackedBytes: parts.config.CONVERSION_MAX_MEMORY_BYTES,
            memoryBytes: parts.config.CONVERSION_MAX_MEMORY_BYTES,
            timeoutSeconds: parts.config.CONVERSION_TIMEOUT_SECONDS,
          },
        });
  if (outcome.status === 'failed') {
    await fail(parts, record.id, failureOf(outcome));
    return;
  }
  await publishContent(parts, key, outcome);
  await parts.claims.finish(key, record.id);
  await settleByContent(parts, record, key);
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

/** True where the converter is this conversion's to run: the claim is its own, or the holder's conversion has ended without success. */
async function holdsClaim(parts: SelfHostedParts, { id }: ConversionRecord, key: string): Promise<boolean> {
  const claim = await parts.claims.claim(key, id);
  if (claim.holder === id) return true;
  const holder = await parts.conversions.read(claim.holder);
  if (holder !== undefined && holder.state !== 'failed') return false;
  return (await parts.claims.takeOver(key, claim.holder, id)).holder === id;
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
  if (current.state !== 'running') return undefined;
  return { record: { ...current, state: 'succeeded', result, endedAt: now.toISOString() } };
}

function withContentKey(current: ConversionRecord, contentKey: string): Change<ConversionRecord> | undefined {
  return current.state === 'running' ? { record: { ...current, contentKey } } : undefined;
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

/** A bound that was met while the converter ran is a limit like those that were met before. */
function failureOf({ error, warnings }: Extract<ConversionOutcome, { status: 'failed' }>): ConversionFailure {
  const { code, message } = error;
  if (code === 'timeout' || code === 'memory') return { reason: 'limit', message, warnings };
  return { reason: code === 'cancelled' ? 'conversion_failed' : code, message, warnings };
}

function soon(parts: SelfHostedParts): Date {
  return new Date(parts.now().getTime() + WAITING_SECONDS * 1000);
}
