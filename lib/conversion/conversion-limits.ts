import { ConversionError } from './conversion-error.ts';

/** What bounds a conversion; each is refused by its name, before the work where it can be known. */
export interface ConversionLimits {
  /** The model and what it refers to, in bytes. */
  readonly inputBytes: number;
  /** The model and what it refers to. */
  readonly inputFiles: number;
  readonly nodes: number;
  /** Of all mesh parts together; the points of a cloud are vertices. */
  readonly vertices: number;
  /** Of one texture. */
  readonly texturePixels: number;
  /** What is unpacked from the input: geometry, archives. In bytes. */
  readonly unpackedBytes: number;
  /** Resident memory at which the converter is ended, in bytes. */
  readonly memoryBytes: number;
  /** Running time at which the converter is ended. */
  readonly timeoutSeconds: number;
}

/** The names of all of them. */
export const LIMITS = [
  'inputBytes',
  'inputFiles',
  'nodes',
  'vertices',
  'texturePixels',
  'unpackedBytes',
  'memoryBytes',
  'timeoutSeconds',
] as const satisfies (keyof ConversionLimits)[];

/** The limits that are held within the work; its process is bounded from outside by the others. */
export type WorkLimits = Omit<ConversionLimits, 'memoryBytes' | 'timeoutSeconds'>;

/** @throws ConversionError `limit` with the limit's name, its value and what the model has */
export function checkLimit(name: keyof WorkLimits, has: number, limits: WorkLimits): void {
  const limit = limits[name];
  if (has <= limit) return;
  const message = `The model has ${has} ${words[name]}; the limit (${name}) is ${limit}. Split or simplify it.`;
  throw new ConversionError('limit', message, { limit: name });
}

const words: Readonly<Record<keyof WorkLimits, string>> = {
  inputBytes: 'bytes',
  inputFiles: 'files',
  nodes: 'nodes',
  vertices: 'vertices',
  texturePixels: 'pixels in one texture',
  unpackedBytes: 'bytes when unpacked',
};
