import type { ConversionWarning } from '../conversion-outcome.ts';
import { toGltfImage } from '../images/gltf-image.ts';
import { putImage } from '../images/texture-loader.ts';
import { textureWarnings } from '../images/texture-warnings.ts';
import type { ImportRequest } from '../importer.ts';
import type { WrittenReference } from '../model-formats.ts';
import { storedUriPaths } from '../reading/stored-paths.ts';
import type { AssimpDocument } from './assimp-document.ts';

/** A model's images by the name that the library has for them. */
export type ReadImage = (uri: string) => Promise<Uint8Array | undefined>;

/**
 * Gives every texture its image, from the document itself or from the files beside the model, in a format that glTF knows. A texture without
 * one is dropped, with a warning for every material that uses it.
 */
export async function loadTextures(
  { document, textureUris }: AssimpDocument,
  readImage: ReadImage,
  limits: ImportRequest['limits'],
): Promise<ConversionWarning[]> {
  const warnings: ConversionWarning[] = [];
  const byUri = new Map<string, Promise<Awaited<ReturnType<typeof toGltfImage>> | 'missing'>>();
  const load = async (uri: string) => {
    const bytes = await readImage(uri);
    return bytes === undefined ? ('missing' as const) : await toGltfImage(bytes, limits);
  };
  for (const [i, texture] of document.getRoot().listTextures().entries()) {
    const uri = textureUris[i];
    let image: Awaited<ReturnType<typeof load>>;
    if (uri === undefined) image = await toGltfImage(texture.getImage() ?? new Uint8Array(0), limits);
    else {
      const loading = byUri.get(uri) ?? load(uri);
      byUri.set(uri, loading);
      image = await loading;
    }
    const name = uri ?? (texture.getName() || 'embedded image');
    if (image === 'missing' || 'unreadable' in image) {
      warnings.push(...textureWarnings(image, texture, name));
      texture.dispose();
    } else {
      putImage(document, texture.setName(name), image);
      if (image.isCutOff) warnings.push(...textureWarnings('cut off', texture, name));
    }
  }
  return warnings;
}

/** Reads images by what the model's own references say of them: both end with the same folders and name. */
export function readByReferences(
  references: readonly WrittenReference[],
  readReference: ImportRequest['readReference'],
): ReadImage {
  const byPath = new Map<string, string>();
  for (const { uri, paths } of references) {
    for (const path of paths) if (!byPath.has(path)) byPath.set(path, uri);
  }
  return async (uri) => {
    const known = storedUriPaths(uri).find((path) => byPath.has(path));
    const reference = known === undefined ? undefined : byPath.get(known);
    return reference === undefined ? undefined : await readReference(reference);
  };
}
