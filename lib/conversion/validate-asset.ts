import validator from 'gltf-validator';
import { z } from 'zod';
import { ConversionError } from './conversion-error.ts';
import type { ValidationReport } from './conversion-outcome.ts';

/** A model can have a million faults of one kind; the first of them tell the story. */
const MAX_MESSAGES = 20;

const report = z.object({
  validatorVersion: z.string(),
  issues: z.object({
    numErrors: z.number(),
    numWarnings: z.number(),
    numInfos: z.number(),
    messages: z.array(
      z.object({ code: z.string(), message: z.string(), severity: z.number(), pointer: z.string().default('') }),
    ),
  }),
});

/**
 * What the Khronos validator says of an asset.
 * @param what the asset in words, for the message
 * @throws ConversionError `conversion_failed` with the validator's messages where there is an error
 */
export async function validateAsset(glb: Uint8Array, what: string): Promise<ValidationReport> {
  const { validatorVersion, issues } = report.parse(
    await validator.validateBytes(glb, { maxIssues: MAX_MESSAGES, writeTimestamp: false }),
  );
  const messages = issues.messages.toSorted((a, b) => a.severity - b.severity).map(describe);
  if (issues.numErrors > 0) {
    const shown = messages.slice(0, 3).join(' ');
    const message = `The Khronos validator finds ${issues.numErrors} errors in ${what}: ${shown} Repair the model and export it again.`;
    throw new ConversionError('conversion_failed', message);
  }
  const { numErrors, numWarnings, numInfos } = issues;
  return { validator: `Khronos glTF Validator ${validatorVersion}`, numErrors, numWarnings, numInfos, messages };
}

/** Why a glTF's JSON could not be read, in the validator's words where it has some: they name the place, a library's exception does not. */
export async function explainInvalidGltf(json: string, error: unknown): Promise<string> {
  const why = describeErrors(await validator.validateString(json, quietly)) ?? `${asText(error)}.`;
  return `The model cannot be read: ${why} Export it again.`;
}

/**
 * What the validator finds wrong with a glTF, its geometry and images included; undefined where it finds nothing.
 * @param readReference the content of a file by the URI that the glTF names it by
 */
export async function findGltfFaults(
  gltf: Uint8Array,
  readReference: (uri: string) => Promise<Uint8Array | undefined>,
): Promise<string | undefined> {
  const externalResourceFunction = async (uri: string) => {
    const bytes = await readReference(uri);
    if (bytes === undefined) throw new Error('It is not there.');
    return bytes;
  };
  const why = describeErrors(await validator.validateBytes(gltf, { ...quietly, externalResourceFunction }));
  return why && `The model is no valid glTF: ${why} Repair it and export it again.`;
}

const quietly = { maxIssues: MAX_MESSAGES, writeTimestamp: false };

function describeErrors(validated: unknown): string | undefined {
  const found = report.safeParse(validated);
  const messages = found.success ? found.data.issues.messages : [];
  // Files that are not there have been told of, or it was given the JSON alone.
  const errors = messages.filter(({ severity, code }) => severity === 0 && code !== 'IO_ERROR');
  return errors.length > 0 ? errors.slice(0, 3).map(describe).join(' ') : undefined;
}

function describe({ code, message, pointer }: { code: string; message: string; pointer: string }): string {
  return `${code}${pointer === '' ? '' : ` at ${pointer}`}: ${message}`;
}

function asText(error: unknown): string {
  // The language's own words tell nobody what is wrong with a model.
  if (error instanceof TypeError || error instanceof RangeError) return 'a part of it is missing or of a wrong kind';
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}
