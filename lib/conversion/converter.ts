import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Document, WebIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { MeshoptEncoder } from 'meshoptimizer/encoder';
import { addTangents } from './add-tangents.ts';
import { checkGeometry } from './check-geometry.ts';
import { ConversionError } from './conversion-error.ts';
import type { WorkLimits } from './conversion-limits.ts';
import type {
  ConversionOutcome,
  ConversionPhase,
  ConversionWarning,
  SucceededConversion,
  ValidationReport,
} from './conversion-outcome.ts';
import type { ConversionSettings } from './conversion-settings.ts';
import { gatherInput, type ModelInput } from './gather-input.ts';
import type { ImportedModel } from './importer.ts';
import { importers } from './importers.ts';
import { countModel } from './model-statistics.ts';
import { compressOnWrite, deduplicate, quantise } from './optimise-model.ts';
import { placeModel } from './place-model.ts';
import { repairDocument } from './repair-document.ts';
import { validateAsset } from './validate-asset.ts';

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
export async function runConversion(
  job: ConversionJob,
  onPhase: (phase: ConversionPhase) => void,
): Promise<ConversionOutcome> {
  const warnings: ConversionWarning[] = [];
  const assetPath = join(job.outputDirectory, 'asset.glb');
  try {
    return await convertModel(job, assetPath, warnings, onPhase);
  } catch (error) {
    await rm(assetPath, { force: true });
    return { status: 'failed', error: describe(error), warnings };
  }
}

async function convertModel(
  job: ConversionJob,
  assetPath: string,
  warnings: ConversionWarning[],
  onPhase: (phase: ConversionPhase) => void,
): Promise<SucceededConversion> {
  onPhase('reading');
  const input = await gatherInput(job);
  onPhase('importing');
  const model = await importModel(job, input);
  warnings.push(...model.warnings);
  onPhase('optimising');
  const { document } = model;
  const before = countModel(document);
  warnings.push(...checkGeometry(document), ...repairDocument(document), ...(await addTangents(document)));
  const placement = placeModel(document, job.settings);
  await deduplicate(document, job.settings);
  onPhase('compressing');
  await quantise(document, job.settings);
  const after = countModel(document);
  const { asset, validation } = await writeValid(document, onPhase);
  onPhase('writing');
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
    warnings,
    validation,
  };
}

async function importModel(job: ConversionJob, input: ModelInput): Promise<ImportedModel> {
  const { file, readReference } = input;
  return await importers[input.format.id]({ file, readReference, settings: job.settings, limits: job.limits });
}

/** The validator cannot look into compressed geometry, so that it sees the same document without compression first. */
async function writeValid(
  document: Document,
  onPhase: (phase: ConversionPhase) => void,
): Promise<{ asset: Uint8Array; validation: ValidationReport }> {
  const io = new WebIO().registerExtensions(ALL_EXTENSIONS).registerDependencies({ 'meshopt.encoder': MeshoptEncoder });
  onPhase('validating');
  const validation = await validateAsset(await io.writeBinary(document), 'the converted model');
  compressOnWrite(document);
  const asset = await io.writeBinary(document);
  await validateAsset(asset, 'the compressed asset');
  return { asset, validation };
}

function shortly({ input, triangles }: ReturnType<typeof countModel>) {
  return { triangles, vertices: input.numVertices, materials: input.numMaterial, meshes: input.numMeshes };
}

function describe(error: unknown): { code: ConversionError['code']; message: string } {
  if (error instanceof ConversionError) return { code: error.code, message: error.message };
  const why = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError && /allocation|array length/i.test(why)) {
    return { code: 'memory', message: `The model needs more memory than there is (${why}). Split or simplify it.` };
  }
  return {
    code: 'conversion_failed',
    message: `The conversion failed: ${why}. Export the model again, or with other options.`,
  };
}
