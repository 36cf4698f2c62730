import type { Document, Material, Texture } from '@gltf-transform/core';
import type { WorkLimits } from '../conversion-limits.ts';
import { loadSharp, MEASURED } from '../textures/sharp-images.ts';

/** Levels between which a texel is neither seen through nor opaque, and how many such there are in a map that only cuts out. */
const [CLEAR, OPAQUE] = [16, 239];
const MOST_BETWEEN = 0.1;

/** A texture of colours and opacity, as glTF wants them. */
interface OpacityTexture {
  readonly texture: Texture;
  readonly alphaMode: 'OPAQUE' | 'MASK' | 'BLEND';
}

/** Gives materials the opacity of images that other formats have for it beside those of the colours. */
export class OpacityMaps {
  readonly #document: Document;
  readonly #limits: Pick<WorkLimits, 'texturePixels'>;
  /** By the colours, and by the opacity. */
  readonly #joined = new Map<Texture | null, Map<Texture, Promise<OpacityTexture | undefined>>>();

  constructor(document: Document, limits: Pick<WorkLimits, 'texturePixels'>) {
    this.#document = document;
    this.#limits = limits;
  }

  /**
   * Joins the colours of a material's texture, or white, with the opacity that another has: in its alpha channel, or else as its brightness. Of
   * one texture for both, only the alpha channel counts.
   * @returns false for images that cannot be decoded here, with which the material stays as it is
   */
  async apply(material: Material, opacity: Texture): Promise<boolean> {
    const colors = material.getBaseColorTexture();
    const known = this.#joined.get(colors) ?? new Map<Texture, Promise<OpacityTexture | undefined>>();
    this.#joined.set(colors, known);
    const joining = known.get(opacity) ?? this.#join(colors, opacity);
    known.set(opacity, joining);
    const joined = await joining;
    if (joined === undefined) return false;
    if (joined.alphaMode === 'OPAQUE') return true;
    // What is seen through as a whole must not be cut out by that.
    const alphaMode = material.getBaseColorFactor()[3] < 1 ? 'BLEND' : joined.alphaMode;
    material.setBaseColorTexture(joined.texture).setAlphaMode(alphaMode);
    return true;
  }

  async #join(colors: Texture | null, opacity: Texture): Promise<OpacityTexture | undefined> {
    const [map, image] = [opacity.getImage(), colors?.getImage()];
    if (map === null || image === null) return undefined;
    try {
      if (colors === opacity) return { texture: opacity, alphaMode: await this.#ownMode(map) };
      const { png, alphaMode } = await join(image, map, this.#limits.texturePixels);
      const name = `${colors?.getName() ?? ''} ${opacity.getName()}`.trim();
      const texture = this.#document.createTexture(name).setImage(new Uint8Array(png)).setMimeType('image/png');
      return { texture, alphaMode };
    } catch {
      return undefined;
    }
  }

  async #ownMode(image: Uint8Array): Promise<OpacityTexture['alphaMode']> {
    const sharp = await loadSharp();
    const open = () => sharp(image, { limitInputPixels: this.#limits.texturePixels, failOn: 'none', ignoreIcc: true });
    if (!(await open().metadata()).hasAlpha) return 'OPAQUE';
    const alpha = await open().extractChannel('alpha').raw({ depth: 'uchar' }).toBuffer();
    return alpha.every((level) => level === 255) ? 'OPAQUE' : modeOf(alpha);
  }
}

async function join(image: Uint8Array | undefined, map: Uint8Array, limitInputPixels: number) {
  const sharp = await loadSharp();
  const open = (bytes: Uint8Array) => sharp(bytes, { limitInputPixels, ignoreIcc: true });
  const { width, height } = await open(image ?? map).metadata();
  const { isOpaque } = await open(map).stats();
  const alpha = await (isOpaque ? open(map).removeAlpha().toColourspace('b-w') : open(map).extractChannel('alpha'))
    .resize(width, height, { fit: 'fill' })
    .raw({ depth: 'uchar' })
    .toBuffer();
  const white = { create: { width, height, channels: 3, background: '#fff' } } as const;
  // The library removes channels after it has joined others.
  const { data, info } = await (image === undefined ? sharp(white) : open(image).removeAlpha().toColourspace('srgb'))
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const png = await sharp(data, { ...MEASURED, raw: info })
    .joinChannel(alpha, { raw: { width, height, channels: 1 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
  return { png, alphaMode: modeOf(alpha) };
}

function modeOf(alpha: Uint8Array): 'MASK' | 'BLEND' {
  let between = 0;
  for (const level of alpha) if (level > CLEAR && level < OPAQUE) between += 1;
  return between <= MOST_BETWEEN * alpha.length ? 'MASK' : 'BLEND';
}
