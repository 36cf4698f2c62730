export { contentKey } from './content-key.ts';
export { infoDocument, resultDocument } from './conversion-documents.ts';
export { ConversionError } from './conversion-error.ts';
export { type ConversionLimits, checkLimit } from './conversion-limits.ts';
export type {
  ConversionOutcome,
  ConversionProgress,
  FailedConversion,
  SucceededConversion,
} from './conversion-outcome.ts';
export { conversionOutcome } from './conversion-outcome.ts';
export {
  type ConversionSettings,
  conversionSettings,
  parseConversionSettings,
} from './conversion-settings.ts';
export { type ConversionRequest, convert } from './convert.ts';
export { isModelFile } from './detect-format.ts';
export { localFile, type ModelFile } from './model-file.ts';
export { localFolder, type ModelFolder, modelReferences } from './model-references.ts';
export { findSettings, parseSettingsFile } from './settings-files.ts';
