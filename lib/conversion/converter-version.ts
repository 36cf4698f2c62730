import { createHash } from 'node:crypto';

/** Part of every content key. Raise it with every change that makes other output of the same input: results are stored for good. */
export const CONVERTER_VERSION = 'gltf-4';

/** The version as contract 2.8 wants it, 40 hex digits (`conversionToolVersion`). */
export const conversionToolVersion = createHash('sha1').update(CONVERTER_VERSION).digest('hex');
