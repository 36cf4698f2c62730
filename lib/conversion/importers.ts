import { importFbx } from './assimp/fbx/import-fbx.ts';
import { import3ds } from './assimp/max3ds/import-3ds.ts';
import { importDae } from './dae/import-dae.ts';
import { importGltf } from './gltf/gltf-importer.ts';
import type { Importers } from './importer.ts';
import { importLas } from './las/import-las.ts';
import { importObj } from './obj/import-obj.ts';
import { importOff } from './off/import-off.ts';
import { importPly } from './ply/import-ply.ts';
import { importStl } from './stl/import-stl.ts';
import { import3mf } from './threemf/import-3mf.ts';
import { importXyz } from './xyz/import-xyz.ts';

/** The importer of every format that `model-formats.ts` names. */
export const importers: Importers = {
  '3ds': import3ds,
  '3mf': import3mf,
  dae: importDae,
  fbx: importFbx,
  gltf: importGltf,
  las: importLas,
  obj: importObj,
  off: importOff,
  ply: importPly,
  stl: importStl,
  xyz: importXyz,
};
