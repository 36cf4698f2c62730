import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { conversionOutcome, infoDocument, resultDocument, type SucceededConversion } from '#lib/conversion';
import type { ConversionFailure, ConversionRecord, ConversionResult } from '#lib/records';
import type { BlobName } from '#lib/storage';
import type { SelfHostedParts } from './parts.ts';

/** A record is a small document; all warnings are in the result file. */
const WARNINGS_IN_RECORD = 10;

const storedOutcome = conversionOutcome
  .refine((outcome) => outcome.status === 'succeeded')
  .pipe(z.custom<SucceededConversion>());

/** Stores a converted content once, whoever asked for it; the outcome last, since it says that the asset is there. */
export async function publishContent(
  parts: SelfHostedParts,
  key: string,
  outcome: SucceededConversion,
  signal: AbortSignal,
): Promise<void> {
  await parts.blobs.upload(contentBlob(parts, key, 'asset.glb'), outcome.asset.path, 'model/gltf-binary', signal);
  const asset = { ...outcome.asset, path: 'asset.glb' };
  await parts.blobs.writeJson(contentBlob(parts, key, 'outcome.json'), { ...outcome, asset });
}

/** What is stored for a content; undefined where a part of it is gone. */
export async function readContent(parts: SelfHostedParts, key: string): Promise<SucceededConversion | undefined> {
  const outcome = contentBlob(parts, key, 'outcome.json');
  const sizes = await Promise.all([parts.blobs.size(outcome), parts.blobs.size(contentBlob(parts, key, 'asset.glb'))]);
  return sizes.includes(undefined) ? undefined : storedOutcome.parse(await parts.blobs.readJson(outcome));
}

/** The first warnings, shortened: a record is a small document, and the result file has them whole. */
export function forRecord(warnings: ConversionResult['warnings']): ConversionResult['warnings'] {
  return warnings.slice(0, WARNINGS_IN_RECORD).map(({ code, title, details }) => ({
    code,
    title: shortened(title, 200),
    details: Object.fromEntries(Object.entries(details).map(([key, value]) => [key, shortened(value, 200)])),
  }));
}

export function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/**
 * Publishes a stored content under a conversion's own names: the GLB, then `.info.json`, then `.result.json`, whose presence says that
 * the others are there (contract 2.8).
 */
export async function publishSuccess(
  parts: SelfHostedParts,
  record: ConversionRecord,
  key: string,
  content: SucceededConversion,
  cached: boolean,
): Promise<ConversionResult> {
  const { input, output } = record.locations;
  const inputName = posix.basename(input.relativeInputAssetPath);
  const asset = outputBlob(record, output.outputAssetFilename);
  const info = outputBlob(record, `${baseName(record)}.info.json`);
  const result = outputBlob(record, `${baseName(record)}.result.json`);
  const outputName = baseName(record) === withoutExtension(inputName) ? undefined : output.outputAssetFilename;

  await parts.blobs.copy(contentBlob(parts, key, 'asset.glb'), asset);
  const infoBytes = await parts.blobs.writeJson(
    info,
    infoDocument({
      outcome: content,
      inputName,
      ...(outputName !== undefined && { outputName }),
      settings: record.settings ?? record.settingsOfFile ?? {},
      contentKey: key,
    }),
  );
  const resultBytes = await parts.blobs.writeJson(result, resultDocument(internalId(record.id), content));
  return {
    contentKey: key,
    cached,
    ...content.summary,
    warnings: forRecord(content.warnings),
    outputs: [
      { name: asset.name, bytes: content.asset.bytes },
      { name: info.name, bytes: infoBytes },
      { name: result.name, bytes: resultBytes },
    ],
  };
}

/** A conversion that failed leaves its result file and nothing else. */
export async function publishFailure(
  parts: SelfHostedParts,
  record: ConversionRecord,
  { reason, message, warnings }: ConversionFailure,
): Promise<void> {
  const code = reason === 'internal_error' ? 'conversion_failed' : reason;
  const document = resultDocument(internalId(record.id), { status: 'failed', error: { code, message }, warnings });
  await parts.blobs.writeJson(outputBlob(record, `${baseName(record)}.result.json`), document);
}

/** A conversion that was cancelled leaves its result file and nothing else, also where it was about to succeed. */
export async function publishCancelled(parts: SelfHostedParts, record: ConversionRecord, why: string): Promise<void> {
  const { input, output } = record.locations;
  const message = `The conversion of ${input.relativeInputAssetPath} was cancelled: ${why}`;
  const document = resultDocument(internalId(record.id), {
    status: 'failed',
    error: { code: 'cancelled', message },
    warnings: [],
  });
  await parts.blobs.writeJson(outputBlob(record, `${baseName(record)}.result.json`), document);
  // Without a content key nothing was published: what has these names is another's.
  if (record.contentKey === undefined) return;
  await parts.blobs.remove(outputBlob(record, `${baseName(record)}.info.json`));
  await parts.blobs.remove(outputBlob(record, output.outputAssetFilename));
}

function contentBlob(parts: SelfHostedParts, key: string, name: string): BlobName {
  return { container: parts.config.ASSETS_CONTAINER, name: `by-content/${key}/${name}` };
}

function outputBlob({ locations }: ConversionRecord, name: string): BlobName {
  return { container: locations.output.container, name: locations.output.blobPrefix + name };
}

function baseName({ locations }: ConversionRecord): string {
  return withoutExtension(locations.output.outputAssetFilename);
}

function withoutExtension(name: string): string {
  return name.replace(/\.[^.]*$/, '');
}

/** Contract 2.8: the result file has a GUID that is not the caller's id. Derived, so that a second run writes the same file. */
function internalId(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
