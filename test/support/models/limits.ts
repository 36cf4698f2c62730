import type { ConversionLimits } from '#lib/conversion';

/** Limits that no model of these tests meets, unless it means to. */
export const limits: ConversionLimits = {
  inputBytes: 2 ** 28,
  inputFiles: 1000,
  nodes: 200_000,
  vertices: 10_000_000,
  texturePixels: 2 ** 26,
  unpackedBytes: 2 ** 30,
  memoryBytes: 2 ** 30,
  timeoutSeconds: 30,
};
