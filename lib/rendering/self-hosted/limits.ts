import { availableParallelism, totalmem } from 'node:os';
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

type LimitSettings = Pick<Config, (typeof SETTINGS)[keyof ConversionLimits]>;

/** Of a computer's memory so much is for conversions; the app has the rest, and whatever else is there. */
const SHARE_OF_MEMORY = 0.75;

interface Computer {
  readonly memoryBytes: number;
  readonly processors: number;
}

/** The limits of conversions as the settings have them; of memory no more than the computer has. */
export function limitsOf(config: LimitSettings, computer: Computer = thisComputer()): ConversionLimits {
  return {
    inputBytes: config[SETTINGS.inputBytes],
    inputFiles: config[SETTINGS.inputFiles],
    nodes: config[SETTINGS.nodes],
    vertices: config[SETTINGS.vertices],
    texturePixels: config[SETTINGS.texturePixels],
    unpackedBytes: config[SETTINGS.unpackedBytes],
    memoryBytes: Math.min(config[SETTINGS.memoryBytes], Math.floor(computer.memoryBytes * SHARE_OF_MEMORY)),
    timeoutSeconds: config[SETTINGS.timeoutSeconds],
  };
}

/** How many converters may run at a time: as many as have the memory that each may take, and one processor is left to the app. */
export function conversionsAtATime(config: LimitSettings, computer: Computer = thisComputer()): number {
  const fitting = Math.floor((computer.memoryBytes * SHARE_OF_MEMORY) / limitsOf(config, computer).memoryBytes);
  return Math.max(1, Math.min(fitting, computer.processors - 1));
}

function thisComputer(): Computer {
  // A container may have less than its computer; 0 is said where nobody knows.
  const constrained = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return { memoryBytes: Math.min(totalmem(), constrained), processors: availableParallelism() };
}

/** A refusal's words with the setting that an operator would change. */
export function withSetting(message: string, limit: keyof ConversionLimits | undefined): string {
  if (limit === undefined) return message;
  const orLess = limit === 'memoryBytes' ? ', or less where the computer has less' : '';
  return `${message} The limit is the setting ${SETTINGS[limit]}${orLess}.`;
}
