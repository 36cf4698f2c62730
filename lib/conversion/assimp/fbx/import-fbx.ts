import type { mat4 } from '@gltf-transform/core';
import { checkLimit } from '../../conversion-limits.ts';
import { dropUnplacedTextures } from '../../images/unplaced-textures.ts';
import type { ImportedModel, ImportRequest } from '../../importer.ts';
import { readWhole } from '../../model-file.ts';
import { inUtf8 } from '../../reading/text-encoding.ts';
import { importThroughAssimp } from '../import-assimp.ts';
import { placeRoots } from '../place-roots.ts';
import { FbxObjects } from './fbx-connections.ts';
import { readFbx } from './fbx-format.ts';
import { applyFbxMaterials } from './fbx-materials.ts';
import { applyMorphs } from './fbx-morphs.ts';
import { type FbxFile, numbersOf, textOf } from './fbx-node.ts';
import { mendFbx } from './mend-fbx.ts';

/** FBX from 2011 on. Its lengths are centimetres where it does not say otherwise. */
export async function importFbx(request: ImportRequest): Promise<ImportedModel> {
  const fbx = await readFbx(request.file);
  checkLimit('unpackedBytes', fbx.unpackedBytes, request.limits);
  const bytes = await readWhole(fbx.isBinary ? request.file : await inUtf8(request.file));
  const objects = new FbxObjects(fbx.nodes);
  const mended = mendFbx(fbx, bytes, objects, request.limits);
  const { document, warnings } = await importThroughAssimp({
    input: { name: 'model.fbx', bytes: mended.bytes },
    what: `an FBX of version ${fbx.version}`,
    limits: request.limits,
  });
  const looks = await applyFbxMaterials(document, { fbx, objects, bytes, generator: generatorOf(fbx) }, request);
  applyMorphs(document, { fbx, objects, bytes }, request.limits);
  placeRoots(document, placementOf(fbx));
  return {
    document,
    formatVersion: (fbx.version / 1000).toFixed(1),
    generator: generatorOf(fbx),
    warnings: [...mended.warnings, ...warnings, ...looks, ...dropUnplacedTextures(document)],
  };
}

function generatorOf({ nodes }: FbxFile): string {
  const header = nodes.find(({ name }) => name === 'FBXHeaderExtension');
  const written = nodes.find(({ name }) => name === 'Creator')?.values[0];
  return (header && textOf(header, 'Creator')) || (typeof written === 'string' ? written : '');
}

/** From the axes and the unit of a file to metres with +Y up. */
function placementOf({ nodes }: FbxFile): mat4 {
  const settings = nodes.find(({ name }) => name === 'GlobalSettings');
  const numbers = settings === undefined ? new Map<string, number[]>() : numbersOf(settings);
  const number = (name: string, otherwise: number) => numbers.get(name)?.[0] ?? otherwise;
  const unit = number('UnitScaleFactor', 1);
  const scale = unit > 0 && Number.isFinite(unit) ? unit / 100 : 0.01;
  const axis = (name: string, otherwise: number) => {
    const index = number(`${name}Axis`, otherwise);
    const sign = number(`${name}AxisSign`, 1) < 0 ? -scale : scale;
    return { index: index >= 0 && index <= 2 ? index : otherwise, sign };
  };
  const [right, up, front] = [axis('Coord', 0), axis('Up', 1), axis('Front', 2)];
  // Axes that are named twice say nothing.
  const isBasis = new Set([right.index, up.index, front.index]).size === 3;
  const matrix: mat4 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  for (const [row, { index, sign }] of [right, up, front].entries()) {
    matrix[4 * (isBasis ? index : row) + row] = isBasis ? sign : scale;
  }
  return matrix;
}
