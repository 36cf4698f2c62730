import type { ImportedModel, ImportRequest } from '../../importer.ts';
import { readWhole } from '../../model-file.ts';
import { readByReferences } from '../assimp-textures.ts';
import { importThroughAssimp } from '../import-assimp.ts';
import { references3ds, scan3ds } from './max3ds-scan.ts';

/** 3D Studio's models, which say nothing of their unit: it is taken for metres. The library turns their +Z up. */
export async function import3ds(request: ImportRequest): Promise<ImportedModel> {
  const scan = await scan3ds(request.file);
  const { document, warnings } = await importThroughAssimp({
    input: { name: 'model.3ds', bytes: await readWhole(request.file) },
    what: 'a 3DS',
    readImage: readByReferences(references3ds(scan), request.readReference),
    limits: request.limits,
  });
  return { document, formatVersion: '', generator: '', warnings };
}
