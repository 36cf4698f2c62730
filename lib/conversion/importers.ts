import { importGltf } from './gltf/gltf-importer.ts';
import type { Importers } from './importer.ts';

/** The importer of every format that `model-formats.ts` names. */
export const importers: Importers = { gltf: importGltf };
