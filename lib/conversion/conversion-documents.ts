import { posix } from 'node:path';
import type { ConversionOutcome, SucceededConversion } from './conversion-outcome.ts';
import { conversionToolVersion } from './converter-version.ts';

export interface InfoDocumentInput {
  readonly outcome: SucceededConversion;
  /** Name of the model file that was asked to be converted. */
  readonly inputName: string;
  /** Only where it is not named after the input (contract 2.8). */
  readonly outputName?: string;
  /** As they were given. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly contentKey: string;
}

/** The content of `.info.json`: contract 2.8. */
export function infoDocument({ outcome, inputName, outputName, settings, contentKey }: InfoDocumentInput) {
  const { inputInfo, inputStatistics, outputStatistics } = outcome.info;
  return {
    files: { input: inputName, ...(outputName === undefined ? {} : { output: outputName }) },
    conversionSettings: settings,
    inputInfo: { sourceAssetExtension: posix.extname(inputName).toLowerCase(), ...inputInfo },
    inputStatistics,
    outputInfo: { conversionToolVersion, conversionHash: contentKey.slice(0, 16).toUpperCase() },
    outputStatistics,
  };
}

/** What `resultDocument` writes down: an outcome, or what is left of it in a record. */
export type ResultDocumentInput =
  | Pick<SucceededConversion, 'status' | 'warnings' | 'validation'>
  | Exclude<ConversionOutcome, SucceededConversion>;

/**
 * The content of `.result.json`: contract 2.8. Written last, and after a failure too.
 * @param conversionId the converter's own id of this run, a GUID; not the id that the caller gave
 */
export function resultDocument(conversionId: string, outcome: ResultDocumentInput): Record<string, unknown>[] {
  const warnings = outcome.warnings.map(({ code, title, details }) => ({ warning: code, title, details }));
  if (outcome.status === 'failed') {
    const { code, message } = outcome.error;
    return [{ conversionId }, ...warnings, { error: code, title: message, details: {} }, { result: 'failed' }];
  }
  const result = warnings.length > 0 ? 'succeeded with warnings' : 'succeeded';
  return [{ conversionId }, ...warnings, ...findings(outcome.validation), { result }];
}

function findings({ validator, numWarnings, messages }: SucceededConversion['validation']): Record<string, unknown>[] {
  if (numWarnings === 0) return [];
  return [
    { 'internal warning': 'validation', title: `${numWarnings} warnings of the ${validator}`, details: { messages } },
  ];
}
