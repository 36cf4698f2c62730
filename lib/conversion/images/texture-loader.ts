import type { Document, Texture } from '@gltf-transform/core';
import { EXTTextureWebP, KHRTextureBasisu } from '@gltf-transform/extensions';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { ImportRequest } from '../importer.ts';
import { toGltfImage } from './gltf-image.ts';

/** Reads the images that a model's materials name; each file becomes one texture. */
export class TextureLoader {
  readonly warnings: ConversionWarning[] = [];
  readonly #document: Document;
  readonly #request: Pick<ImportRequest, 'readReference' | 'limits'>;
  readonly #loaded = new Map<string, Promise<Texture | 'missing' | 'unreadable'>>();

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
    const texture = await loading;
    if (typeof texture !== 'string') return texture;
    this.warnings.push(textureWarning(texture, uri, material));
    return undefined;
  }

  async #read(uri: string): Promise<Texture | 'missing' | 'unreadable'> {
    const { readReference, limits } = this.#request;
    const bytes = await readReference(uri);
    if (bytes === undefined) return 'missing';
    const image = await toGltfImage(bytes, limits);
    if (image === undefined) return 'unreadable';
    return putImage(this.#document, this.#document.createTexture(uri), image);
  }
}

/** Gives a texture its image. */
export function putImage(
  document: Document,
  texture: Texture,
  { image, mimeType }: NonNullable<Awaited<ReturnType<typeof toGltfImage>>>,
): Texture {
  if (mimeType === 'image/webp') document.createExtension(EXTTextureWebP).setRequired(true);
  if (mimeType === 'image/ktx2') document.createExtension(KHRTextureBasisu).setRequired(true);
  return texture.setImage(image).setMimeType(mimeType).setURI('');
}

/** What is said of a texture without which a model is converted: contract 2.8 for what is missing. */
export function textureWarning(why: 'missing' | 'unreadable', texture: string, material: string): ConversionWarning {
  const details = { texture, material };
  if (why === 'missing') return { code: '4004', title: 'Missing texture', details };
  return { code: 'texture_unreadable', title: 'Texture is no image that can be read', details };
}
