import { posix } from 'node:path';
import type { ModelFile } from './model-file.ts';
import { refused } from './reading/refused.ts';
import { readZipDirectory } from './reading/zip.ts';

/**
 * Which of the formats that are archives an archive is, by the names of its files: what it begins with is not laid down in any.
 * @throws ConversionError `input_refused` for an archive that is none, with what it is
 */
export async function archiveFormat(file: ModelFile): Promise<'3mf' | 'dae'> {
  const names = (await readZipDirectory(file)).map(({ name }) => name.toLowerCase());
  const isPackage = names.some((name) => name === '[content_types].xml' || name.startsWith('_rels/'));
  const isOffice = names.some((name) => /^(word|xl|ppt)\//.test(name));
  const isModel = names.some((name) => /^3d\/.*\.model$/.test(name));
  if (isModel) return '3mf';
  if (names.some((name) => name.endsWith('.dae'))) return 'dae';
  // A package names its model itself, whatever it is called.
  if (isPackage && !isOffice) return '3mf';
  throw refused(
    `it is ${described(names)} without a COLLADA document (.dae) or a model of 3MF (3D/*.model) in it. ${advice(names)}`,
  );
}

function described(names: readonly string[]): string {
  if (names.length === 0) return 'an empty archive';
  if (names.some((name) => /^(word|xl|ppt)\//.test(name))) return 'an office document';
  if (names.some((name) => /\.usd[ac]?$/.test(name))) return 'a USDZ';
  return 'an archive';
}

function advice(names: readonly string[]): string {
  if (described(names) === 'a USDZ') return 'Export it as glTF.';
  const model = names.find((name) =>
    /^\.(3mf|gltf|glb|fbx|obj|ply|las|laz|off|stl|3ds|xyz|amf|wrl|x3d)$/.test(posix.extname(name)),
  );
  if (model !== undefined) return `Unpack it and upload the model ('${model.slice(0, 100)}') with its files.`;
  return 'Unpack it and upload the model with its files.';
}
