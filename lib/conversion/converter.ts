import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, Logger, WebIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { applySettings } from './apply-settings.ts';
import { checkGeometry } from './check-geometry.ts';
import { compressOnWrite, quantiseGeometry } from './compress-geometry.ts';
import { ConversionError } from './conversion-error.ts';
import { checkLimit, type WorkLimits } from './conversion-limits.ts';
import type {
  ConversionOutcome,
  FailedConversion,
  OnPhase,
  SucceededConversion,
  ValidationReport,
} from './conversion-outcome.ts';
import type { ConversionSettings } from './conversion-settings.ts';
import { gatherInput, type ModelInput } from './gather-input.ts';
import type { ImportedModel } from './importer.ts';
import { importers } from './importers.ts';
import { countModel } from './model-statistics.ts';
import { optimiseModel, tidyModel, unpackGeometry } from './optimise-model.ts';
import { placeModel } from './place-model.ts';
import { repairDocument } from './repair-document.ts';
import { checkTextures } from './textures/check-textures.ts';
import { encodeTextures } from './textures/encode-textures.ts';
import { dropSolidTextures } from './textures/solid-textures.ts';
import { validateAsset } from './validate-asset.ts';
import { WarningList } from './warning-list.ts';

/** One model that lies in a folder of this machine, and where its asset goes. */
export interface ConversionJob {
  /** The model's folder; nothing outside of it is read. */
  readonly directory: string;
  /** The model, relative to the folder. */
  readonly file: string;
  /** Exists; receives `asset.glb`. */
  readonly outputDirectory: string;
  readonly settings: ConversionSettings;
  readonly limits: WorkLimits;
}

/** Converts in this process, without a bound on time: what happens in the converter's child process. */
export async function runConversion(job: ConversionJob, onPhase: OnPhase): Promise<ConversionOutcome> {
  const warnings = new WarningList();
  const assetPath = join(job.outputDirectory, 'asset.glb');
  try {
    return await convertModel(job, assetPath, warnings, onPhase);
  } catch (error) {
    await rm(assetPath, { force: true });
    return { status: 'failed', error: describe(error), warnings: warnings.all };
  }
}

async function convertModel(
  job: ConversionJob,
  assetPath: string,
  warnings: WarningList,
  onPhase: OnPhase,
): Promise<SucceededConversion> {
  onPhase('reading');
  const input = await gatherInput(job);
  onPhase('importing', { inputBytes: input.bytes });
  const model = await importModel(job, input);
  warnings.add(model.warnings);
  try {
    return await makeAsset({ job, input, model, assetPath, warnings, onPhase });
  } catch (error) {
    throw await blamed(error, model);
  }
}

interface AssetRequest {
  readonly job: ConversionJob;
  readonly input: ModelInput;
  readonly model: ImportedModel;
  readonly assetPath: string;
  readonly warnings: WarningList;
  readonly onPhase: OnPhase;
}

async function makeAsset(request: AssetRequest): Promise<SucceededConversion> {
  const { job, input, model, assetPath, warnings, onPhase } = request;
  const { settings, limits } = job;
  const io = new WebIO().registerExtensions(ALL_EXTENSIONS);
  // What the libraries note of their steps is for their authors.
  const document = model.document.setLogger(new Logger(Logger.Verbosity.SILENT));
  const before = countModel(document);
  checkLimit('vertices', before.input.numVertices, limits);
  onPhase('optimising', { triangles: before.triangles, vertices: before.input.numVertices });
  warnings.add(await checkTextures(document, limits));
  warnings.add(checkGeometry(document));
  await unpackGeometry(document, settings);
  warnings.add(repairDocument(document));
  warnings.add(applySettings(document, settings, input.format.id, input.overrides));
  const placement = placeModel(document, settings);
  if (settings.sceneGraphMode !== 'dynamic') await dropSolidTextures(document);
  await tidyModel(document, settings);
  const textures = encodeTextures(document, settings, limits);
  warnings.add(await optimiseModel(document, settings));
  onPhase('compressing');
  await quantiseGeometry(document, settings);
  warnings.add(await textures.finish());
  const after = countModel(document);
  onPhase('validating', { triangles: after.triangles, vertices: after.input.numVertices });
  const { asset, validation } = await writeValid(io, document, settings);
  onPhase('writing', { outputBytes: asset.length });
  await writeFile(assetPath, asset);
  return {
    status: 'succeeded',
    asset: { path: assetPath, bytes: asset.length },
    info: {
      inputInfo: {
        sourceAssetFormat: input.format.name,
        sourceAssetFormatVersion: model.formatVersion,
        sourceAssetGenerator: model.generator,
      },
      inputStatistics: before.input,
      outputStatistics: {
        numMeshPartsCreated: after.input.numMeshes,
        numMeshPartsInstanced: after.partsUsedTwice,
        ...placement,
      },
    },
    summary: {
      input: { bytes: input.bytes, files: input.files, ...shortly(before) },
      output: { bytes: asset.length, ...shortly(after) },
    },
    warnings: warnings.all,
    validation,
  };
}

/** What failed for a reason that nobody foresaw is the file's fault where something is wrong with it. */
async function blamed(error: unknown, model: ImportedModel): Promise<unknown> {
  const isForeseen = error instanceof ConversionError && error.code !== 'conversion_failed';
  if (isForeseen || isOutOfMemory(error)) return error;
  const faults = await model.findFaults?.();
  return faults === undefined ? error : new ConversionError('input_refused', faults, { cause: error });
}

async function importModel(job: ConversionJob, input: ModelInput): Promise<ImportedModel> {
  const { file, readReference } = input;
  return await importers[input.format.id]({ file, readReference, settings: job.settings, limits: job.limits });
}

/** The validator cannot look into compressed geometry, so that it sees the same document without compression first. */
async function writeValid(
  io: WebIO,
  document: Document,
  settings: ConversionSettings,
): Promise<{ asset: Uint8Array; validation: ValidationReport }> {
  const uncompressed = await io.writeBinary(document);
  const validation = await validateAsset(uncompressed, 'the converted model');
  if (settings.geometryCompression === 'none') return { asset: uncompressed, validation };
  await compressOnWrite(document, io, settings);
  const asset = await io.writeBinary(document);
  await validateAsset(asset, 'the compressed asset');
  return { asset, validation };
}

function shortly({ input, triangles }: ReturnType<typeof countModel>) {
  return { triangles, vertices: input.numVertices, materials: input.numMaterial, meshes: input.numMeshes };
}

function describe(error: unknown): FailedConversion['error'] {
  if (error instanceof ConversionError) {
    const { code, message, limit } = error;
    return { code, message, ...(limit !== undefined && { limit }) };
  }
  const why = error instanceof Error ? error.message : String(error);
  if (isOutOfMemory(error)) {
    return {
      code: 'memory',
      message: `The model needs more memory than there is (${why}). Split or simplify it.`,
      limit: 'memoryBytes',
    };
  }
  if (error instanceof Error && 'syscall' in error) {
    const message = `The conversion failed on its files: ${why}. Make room, or mend what the disk refuses, and convert it again.`;
    return { code: 'conversion_failed', message };
  }
  return {
    code: 'conversion_failed',
    message: `The conversion failed: ${why}. Export the model again, or with other options.`,
  };
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && /allocation|array length/i.test(error.message);
}
