import type { Document, TextureInfo } from '@gltf-transform/core';
import { KHRTextureTransform } from '@gltf-transform/extensions';

/** How a texture lies on a surface, with heights that are counted from the bottom. */
export interface TexturePlacement {
  readonly offset: readonly [u: number, v: number];
  readonly scale: readonly [u: number, v: number];
}

/** Lays a texture on its surface, as KHR_texture_transform has it: there, heights are counted from the top. */
export function placeTexture(document: Document, info: TextureInfo | null, { offset, scale }: TexturePlacement): void {
  const [[u, v], [su, sv]] = [offset, scale];
  const isPlain = u === 0 && v === 0 && su === 1 && sv === 1;
  const isUsable = [u, v, su, sv].every(Number.isFinite) && su !== 0 && sv !== 0;
  if (info === null || isPlain || !isUsable) return;
  const transform = document.createExtension(KHRTextureTransform).createTransform();
  info.setExtension('KHR_texture_transform', transform.setOffset([u, 1 - sv - v]).setScale([su, sv]));
}
