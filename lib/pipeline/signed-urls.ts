import { type AssetAnswer, MAX_UPLOAD_BYTES, type UploadAnswer, type UploadBody } from '#lib/api';
import type { Caller } from '#lib/http';
import type { PipelineRecord } from '#lib/records';
import { readablePipeline } from './access.ts';
import type { PipelineParts } from './parts.ts';
import { PipelineError } from './pipeline-error.ts';
import { assetName } from './pipeline-steps.ts';

/**
 * URLs that create the files of one model, each for one Put Blob, in a folder that nobody else has. What is declared too large is
 * refused. A SAS cannot limit a size: files that are larger than they may be all the same end their conversion with `limit`.
 * @param uploadId the folder's name
 * @throws PipelineError `invalid`
 */
export async function createUpload(
  parts: Pick<PipelineParts, 'config' | 'blobs'>,
  { files }: UploadBody,
  uploadId: string,
): Promise<UploadAnswer> {
  const { MODELS_CONTAINER, CONVERSION_MAX_INPUT_BYTES, UPLOAD_URL_SECONDS } = parts.config;
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [index, { name, bytes }] of files.entries()) {
    if (bytes <= MAX_UPLOAD_BYTES) continue;
    const detail = `${name} has ${bytes} bytes; one upload carries ${MAX_UPLOAD_BYTES} (5,000 MiB).`;
    throw new PipelineError('invalid', detail, `files.${index}.bytes`);
  }
  if (total > CONVERSION_MAX_INPUT_BYTES) {
    const detail = `The files have ${total} bytes; ${CONVERSION_MAX_INPUT_BYTES} are converted (CONVERSION_MAX_INPUT_BYTES).`;
    throw new PipelineError('invalid', detail, 'files');
  }
  const signed = files.map(async ({ name }) => {
    const blob = `${uploadId}/${name}`;
    const { url, expiresOn } = await parts.blobs.createUrl(
      { container: MODELS_CONTAINER, name: blob },
      UPLOAD_URL_SECONDS,
    );
    return { name, blob, url, expiresOn: expiresOn.toISOString() };
  });
  return { uploadId, files: await Promise.all(signed) };
}

/**
 * A URL that reads one output of a pipeline's conversion, and nothing else. A conversion that failed has its result alone.
 * @throws PipelineError `not_found`, or `no_asset` where there is no such output, or not yet
 */
export async function getAsset(
  parts: PipelineParts,
  caller: Caller,
  id: string,
  file: 'asset' | 'info' | 'result',
): Promise<AssetAnswer> {
  const record = await readablePipeline(parts, caller, id);
  const output = await outputOf(parts, record, file);
  if (output === undefined) {
    throw new PipelineError('no_asset', `The pipeline ${id} has no ${file} to read: it is ${record.state}.`);
  }
  const blob = { container: parts.config.ASSETS_CONTAINER, name: output.name };
  const { url, expiresOn } = await parts.blobs.readUrl(blob, parts.config.ASSET_URL_SECONDS);
  return { ...output, url, expiresOn: expiresOn.toISOString() };
}

async function outputOf(
  parts: PipelineParts,
  { id, conversion, state, request }: PipelineRecord,
  file: 'asset' | 'info' | 'result',
): Promise<{ readonly name: string; readonly bytes: number } | undefined> {
  // Contract 2.8: the asset, then its info, then the result, in the order of their writing.
  if (conversion !== undefined) return conversion.outputs[['asset', 'info', 'result'].indexOf(file)];
  if (state !== 'failed' || file !== 'result') return undefined;
  const name = `${id}/${assetName(request.model.file).replace(/\.glb$/, '.result.json')}`;
  const bytes = await parts.blobs.size({ container: parts.config.ASSETS_CONTAINER, name });
  return bytes === undefined ? undefined : { name, bytes };
}
