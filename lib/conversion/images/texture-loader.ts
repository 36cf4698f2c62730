import type { Document, Texture } from '@gltf-transform/core';
import { EXTTextureAVIF, EXTTextureWebP, KHRTextureBasisu } from '@gltf-transform/extensions';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { ImportRequest } from '../importer.ts';
import { type GltfImage, toGltfImage } from './gltf-image.ts';
import { type TextureFault, textureWarning } from './texture-warnings.ts';

/** Reads the images that a model's materials name; each file becomes one texture. */
export class TextureLoader {
  readonly warnings: ConversionWarning[] = [];
  readonly #document: Document;
  readonly #request: Pick<ImportRequest, 'readReference' | 'limits'>;
  readonly #loaded = new Map<string, Promise<LoadedTexture | TextureFault>>();

  constructor(document: Document, request: Pick<ImportRequest, 'readReference' | 'limits'>) {
    this.#document = document;
    this.#request = request;
  }

  /**
   * The texture by the URI under which the model's references name it; undefined, and a warning, where it is not there or no image.
   * @param material the name of who wants it
   */
  async load(uri: string, material: string): Promise<Texture | undefined> {
    const loading = this.#loaded.get(uri) ?? this.#read(uri);
    this.#loaded.set(uri, loading);
    const loaded = await loading;
    const isThere = typeof loaded === 'object' && 'texture' in loaded;
    if (!isThere || loaded.isCutOff) this.warnings.push(textureWarning(isThere ? 'cut off' : loaded, uri, material));
    return isThere ? loaded.texture : undefined;
  }

  async #read(uri: string): Promise<LoadedTexture | TextureFault> {
    const { readReference, limits } = this.#request;
    const bytes = await readReference(uri);
    if (bytes === undefined) return 'missing';
    const image = await toGltfImage(bytes, limits);
    if ('unreadable' in image) return image;
    const texture = putImage(this.#document, this.#document.createTexture(uri), image);
    return { texture, isCutOff: image.isCutOff };
  }
}

interface LoadedTexture {
  readonly texture: Texture;
  readonly isCutOff: boolean;
}

/** Gives a texture its image. */
export function putImage(document: Document, texture: Texture, { image, mimeType }: GltfImage): Texture {
  if (mimeType === 'image/webp') document.createExtension(EXTTextureWebP).setRequired(true);
  if (mimeType === 'image/avif') document.createExtension(EXTTextureAVIF).setRequired(true);
  if (mimeType === 'image/ktx2') document.createExtension(KHRTextureBasisu).setRequired(true);
  return texture.setImage(image).setMimeType(mimeType).setURI('');
}
