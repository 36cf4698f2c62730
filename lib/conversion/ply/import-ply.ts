import { checkLimit } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { buildDocument } from '../geometry/build-document.ts';
import { brightnessEncoder } from '../geometry/vertex-colors.ts';
import type { ImportedModel, ImportRequest } from '../importer.ts';
import { refused } from '../reading/refused.ts';
import { type PlyElement, type PlyHeader, readPlyHeader, textureFiles } from './ply-header.ts';
import { plyRows } from './ply-rows.ts';
import { addTextures } from './ply-texture.ts';
import { PlyFaces } from './read-faces.ts';
import { PlyVertices } from './read-vertices.ts';
import { areSplats } from './vertex-layout.ts';

/** Bytes that a vertex takes here at most: position, normal, texture coordinates, intensity and colour. */
const VERTEX_BYTES = 40;

/** Meshes of polygons or triangle strips, and point clouds: what has no faces. Elements and properties of other kinds are passed over. */
export async function importPly(request: ImportRequest): Promise<ImportedModel> {
  const header = await readPlyHeader(request.file);
  const { vertices, faces } = await readElements(header, request);
  const isMesh = faces?.isEmpty === false;
  const corners = isMesh ? faces.corners() : undefined;
  const texcoords = corners?.texcoords ?? vertices.texcoords;
  const { document, material } = buildDocument([
    {
      name: isMesh ? 'mesh' : 'points',
      kind: isMesh ? 'triangles' : 'points',
      positions: vertices.positions.values,
      origin: vertices.positions.origin,
      indices: isMesh ? faces.indices : undefined,
      normals: vertices.normals,
      colors: vertices.colors() ?? (isMesh ? undefined : vertices.greys()),
      texcoords: vertices.texcoords,
      corners,
    },
  ]);
  const warnings = [
    ...vertices.positions.warnings(faces === undefined || isMesh),
    ...warnOfSkipped(faces?.skipped ?? 0),
    ...warnOfSplats(header),
  ];
  const files = texcoords === undefined ? [] : textureFiles(header.comments);
  warnings.push(...(await addTextures({ document, material, files, textures: faces?.textures }, request)));
  return { document, formatVersion: header.version, generator: generatorOf(header.comments), warnings };
}

async function readElements(header: PlyHeader, request: ImportRequest) {
  const { settings, limits } = request;
  const element = header.elements.find(({ name }) => name === 'vertex');
  if (element === undefined || element.count === 0) throw refused('it has no vertices: there is nothing to render.');
  checkSize(header, request.file.size);
  checkLimit('vertices', element.count, limits);
  checkLimit('unpackedBytes', element.count * VERTEX_BYTES, limits);
  const encode = brightnessEncoder(settings);
  const vertices = new PlyVertices(element, encode);
  const positions = () => vertices.positions.values;
  const context = { vertices: element.count, positions, wantsColors: !vertices.hasColors, encode, limits };
  let faces: PlyFaces | undefined;
  const rows = plyRows(request.file, header);
  for (const next of header.elements) {
    if (next === element) await rows.read(next, (row) => vertices.add(row));
    else if (faces === undefined && isFaces(next)) {
      const read = new PlyFaces(next, context);
      faces = read;
      await rows.read(next, (row) => (next.name === 'face' ? read.addPolygon(row) : read.addStrips(row)));
    } else await rows.read(next, () => undefined);
  }
  return { vertices, faces };
}

function isFaces({ name, count }: PlyElement): boolean {
  return count > 0 && (name === 'face' || name === 'tristrips');
}

/** Before room is made for what the header promises. */
function checkSize({ elements, encoding, bytes }: PlyHeader, size: number): void {
  let least = 0;
  for (const { count, properties } of elements) {
    // As text, a value and what parts it from the next.
    const row = properties.reduce((sum, { type, countType }) => sum + (countType ?? type).bytes, 0);
    least += count * (encoding === 'ascii' ? 2 * properties.length : row);
  }
  // The last line may lack its end.
  const rest = size - bytes;
  if (least <= rest + 1) return;
  const counts = elements.map(({ name, count }) => `${count} of '${name}'`).join(', ');
  throw refused(
    `its header has ${counts}, which take at least ${least} bytes, but ${rest} follow: the file was cut off.`,
  );
}

function warnOfSkipped(skipped: number): ConversionWarning[] {
  if (skipped === 0) return [];
  const title = 'Faces with fewer than three corners left out';
  return [{ code: 'faces_without_area', title, details: { faces: String(skipped) } }];
}

function warnOfSplats({ elements }: PlyHeader): ConversionWarning[] {
  const splats = elements.find(areSplats);
  if (splats === undefined) return [];
  const title = 'Gaussian splats shown as points';
  return [{ code: 'splats_as_points', title, details: { splats: String(splats.count) } }];
}

function generatorOf(comments: readonly string[]): string {
  for (const comment of comments) {
    const by = /\b(?:created|generated|exported|written|made) (?:by|with|from) (.+)/i.exec(comment)?.[1];
    const generated = /^(\S+) generated$/i.exec(comment)?.[1];
    if (by !== undefined || generated !== undefined) return (by ?? generated ?? '').slice(0, 200);
  }
  return '';
}
