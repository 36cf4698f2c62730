import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  ConversionError,
  type ConversionLimits,
  type ConversionOutcome,
  type ConversionProgress,
  contentKey,
  convert,
  type FailedConversion,
  findSettings,
  infoDocument,
  modelReferences,
  parseSettingsFile,
  resultDocument,
} from '#lib/conversion';
import { withSetting } from '#lib/rendering';
import { CommandError, systemReason } from './command-error.ts';
import type { ModelOnDisk } from './model-on-disk.ts';
import { type OutputFile, Outputs } from './outputs.ts';

export interface ConvertOptions {
  /** Absolute; made where it is missing. */
  readonly out: string;
  /** A settings file that counts in place of the one beside the model. */
  readonly settingsFile: string | undefined;
  readonly limits: ConversionLimits;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ConversionProgress) => void;
}

/** What became of a model, and what was written of it. */
export interface Converted {
  readonly outcome: ConversionOutcome;
  readonly files: readonly OutputFile[];
}

/**
 * Converts a model of this machine as the service does, and writes what the service writes.
 * @throws CommandError where nothing can be begun or written
 */
export async function convertModel(model: ModelOnDisk, options: ConvertOptions): Promise<Converted> {
  const plan = await planOf(model, options.settingsFile).catch(asFailure);
  const inputs = 'status' in plan ? [model.file] : plan.inputs;
  const paths = inputs.map((path) => join(model.directory, path));
  await using outputs = await Outputs.open(options.out, model.name, paths);
  const outcome = withSettingNamed('status' in plan ? plan : await runPlan(model, plan, outputs.draft, options));
  const conversionId = randomUUID();
  const result = resultDocument(conversionId, outcome);
  if ('status' in plan || outcome.status === 'failed') {
    return { outcome, files: await outputs.publishFailure(result) };
  }
  const info = infoDocument({
    outcome,
    inputName: model.file,
    settings: plan.given ?? {},
    contentKey: contentKey({ files: await hashesOf(model, plan.inputs), settings: plan.settings }),
  });
  return { outcome, files: await outputs.publish(outcome.asset.path, info, result) };
}

/** What is read, relative to the model's folder, the model first; and how it is to be converted. */
type Plan = Awaited<ReturnType<typeof findSettings>> & { readonly inputs: readonly string[] };

async function planOf({ folder, file }: ModelOnDisk, settingsFile: string | undefined): Promise<Plan> {
  const given = settingsFile === undefined ? undefined : await readSettings(settingsFile);
  const found = await findSettings(folder, file, given);
  const opened = await folder.find(file);
  if (opened === undefined) throw new ConversionError('missing_files', `There is no model '${file}'.`);
  const references = await modelReferences(opened, folder);
  const present = references.flatMap(({ path, found }) => (found === undefined ? [] : [path]));
  return {
    ...found,
    inputs: [...new Set([file, ...present, ...(found.overrides === undefined ? [] : [found.overrides])])],
  };
}

async function readSettings(path: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readFile(path).catch((error: unknown) => {
    const message = `The settings file ${path} cannot be read: ${systemReason(error) ?? String(error)}.`;
    throw new CommandError('no_settings', message, { cause: error });
  });
  return parseSettingsFile(bytes, path).given;
}

function asFailure(error: unknown): FailedConversion {
  if (!(error instanceof ConversionError)) throw error;
  const { code, message, limit } = error;
  return { status: 'failed', error: { code, message, ...(limit !== undefined && { limit }) }, warnings: [] };
}

async function runPlan(
  { directory, file }: ModelOnDisk,
  { settings }: Plan,
  outputDirectory: string,
  { limits, signal, onProgress }: ConvertOptions,
): Promise<ConversionOutcome> {
  const outcome = await convert({ directory, file, outputDirectory, settings, limits, signal, onProgress });
  if (!signal.aborted) return outcome;
  // Ctrl-C reaches the converter too, whose death is not what happened.
  const message = `The conversion of '${file}' was cancelled.`;
  return { status: 'failed', error: { code: 'cancelled', message }, warnings: [] };
}

/** A limit is raised by its setting. */
function withSettingNamed(outcome: ConversionOutcome): ConversionOutcome {
  if (outcome.status === 'succeeded') return outcome;
  const { error } = outcome;
  return { ...outcome, error: { ...error, message: withSetting(error.message, error.limit) } };
}

async function hashesOf({ directory }: ModelOnDisk, inputs: readonly string[]) {
  const files: { path: string; sha256: string }[] = [];
  for (const path of inputs) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(directory, path)), hash);
    files.push({ path, sha256: hash.digest('hex') });
  }
  return files;
}
