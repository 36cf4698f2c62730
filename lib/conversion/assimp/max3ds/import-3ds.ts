import type { ConversionWarning } from '../../conversion-outcome.ts';
import { placeTexture } from '../../images/place-texture.ts';
import type { ImportedModel, ImportRequest } from '../../importer.ts';
import { readWhole } from '../../model-file.ts';
import { PLAIN_GREY } from '../../plain-grey.ts';
import { readByReferences } from '../assimp-textures.ts';
import { importThroughAssimp } from '../import-assimp.ts';
import { type Max3dsScan, references3ds, scan3ds } from './max3ds-scan.ts';
import { mend3ds } from './mend-3ds.ts';

/** The library's name for the material of faces that have none, which it makes almost black. */
const NO_MATERIAL = '%%%DEFAULT';

/** 3D Studio's models, which say nothing of their unit: it is taken for metres. The library turns their +Z up. */
export async function import3ds(request: ImportRequest): Promise<ImportedModel> {
  const scan = await scan3ds(request.file);
  const { document, warnings } = await importThroughAssimp({
    input: { name: 'model.3ds', bytes: mend3ds(await readWhole(request.file)) },
    what: 'a 3DS',
    readImage: readByReferences(references3ds(scan), request.readReference),
    limits: request.limits,
  });
  for (const material of document.getRoot().listMaterials()) {
    if (material.getName() === NO_MATERIAL) material.setBaseColorFactor([PLAIN_GREY, PLAIN_GREY, PLAIN_GREY, 1]);
    const placement = scan.placements.get(material.getName());
    if (placement === undefined) continue;
    const { scaleU = 1, scaleV = 1, offsetU = 0, offsetV = 0 } = placement;
    const texture = material.getBaseColorTexture() && material.getBaseColorTextureInfo();
    placeTexture(document, texture, { offset: [offsetU, offsetV], scale: [scaleU, scaleV] });
  }
  return { document, formatVersion: '', generator: '', warnings: [...sizeWarnings(scan), ...warnings] };
}

function sizeWarnings({ missingBytes }: Max3dsScan): ConversionWarning[] {
  if (missingBytes === 0) return [];
  const title = 'File is shorter than it says, but ends with a chunk';
  return [{ code: 'size_mended', title, details: { missingBytes: String(missingBytes) } }];
}
