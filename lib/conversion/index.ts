export { contentKey } from './content-key.ts';
export { infoDocument, resultDocument } from './conversion-documents.ts';
export { ConversionError, type ConversionErrorCode } from './conversion-error.ts';
export type {
  ConversionInfo,
  ConversionOutcome,
  ConversionPhase,
  ConversionSummary,
  ConversionWarning,
  SucceededConversion,
  ValidationReport,
} from './conversion-outcome.ts';
export { conversionOutcome } from './conversion-outcome.ts';
export {
  type ConversionSettings,
  conversionSettings,
  describeSettingsIssues,
  parseConversionSettings,
} from './conversion-settings.ts';
export { type ConversionRequest, convert } from './convert.ts';
export { CONVERTER_VERSION } from './converter-version.ts';
export type { ModelFile } from './model-file.ts';
export { isModelFile, type ModelReference, modelReferences } from './model-formats.ts';
