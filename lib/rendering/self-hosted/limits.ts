import type { Config } from '#lib/config';
import type { ConversionLimits } from '#lib/conversion';

/** The setting of each limit of conversions. */
const SETTINGS = {
  inputBytes: 'CONVERSION_MAX_INPUT_BYTES',
  inputFiles: 'CONVERSION_MAX_INPUT_FILES',
  nodes: 'CONVERSION_MAX_NODES',
  vertices: 'CONVERSION_MAX_VERTICES',
  texturePixels: 'CONVERSION_MAX_TEXTURE_PIXELS',
  unpackedBytes: 'CONVERSION_MAX_UNPACKED_BYTES',
  memoryBytes: 'CONVERSION_MAX_MEMORY_BYTES',
  timeoutSeconds: 'CONVERSION_TIMEOUT_SECONDS',
} as const satisfies Record<keyof ConversionLimits, keyof Config>;

/** The limits of conversions as the settings have them. */
export function limitsOf(config: Pick<Config, (typeof SETTINGS)[keyof ConversionLimits]>): ConversionLimits {
  return {
    inputBytes: config[SETTINGS.inputBytes],
    inputFiles: config[SETTINGS.inputFiles],
    nodes: config[SETTINGS.nodes],
    vertices: config[SETTINGS.vertices],
    texturePixels: config[SETTINGS.texturePixels],
    unpackedBytes: config[SETTINGS.unpackedBytes],
    memoryBytes: config[SETTINGS.memoryBytes],
    timeoutSeconds: config[SETTINGS.timeoutSeconds],
  };
}

/** A refusal's words with the setting that an operator would change. */
export function withSetting(message: string, limit: keyof ConversionLimits | undefined): string {
  return limit === undefined ? message : `${message} The limit is the setting ${SETTINGS[limit]}.`;
}
