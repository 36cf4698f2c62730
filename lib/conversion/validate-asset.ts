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
  const found = report.safeParse(
    await validator.validateString(json, { maxIssues: MAX_MESSAGES, writeTimestamp: false }),
  );
  const messages = found.success ? found.data.issues.messages : [];
  // It is given the JSON alone, and complains of every other file.
  const errors = messages.filter(({ severity, code }) => severity === 0 && code !== 'IO_ERROR');
  const why = errors.length > 0 ? errors.slice(0, 3).map(describe).join(' ') : `${asText(error)}.`;
  return `The model cannot be read: ${why} Export it again.`;
}

function describe({ code, message, pointer }: { code: string; message: string; pointer: string }): string {
  return `${code}${pointer === '' ? '' : ` at ${pointer}`}: ${message}`;
}

function asText(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}
