import type { Document, Texture } from '@gltf-transform/core';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { sizeOf } from '../textures/check-textures.ts';
import { decodePixels, loadSharp, MEASURED } from '../textures/sharp-images.ts';

/** What a channel of a new image is: that of another, or one value from 0 to 255 for all of its pixels. */
export type ChannelSource =
  | number
  | {
      readonly texture: Texture;
      /** Grey is the mean of the three colours. */
      readonly channel: 'red' | 'green' | 'blue' | 'grey';
      readonly isInverted?: boolean;
    };

/** Makes images of the channels of others, as glTF has several values of a surface in one. */
export class ChannelPacker {
  readonly #document: Document;
  readonly #limits: WorkLimits;
  readonly #packed = new Map<string, Promise<Texture | undefined>>();
  readonly #ids = new Map<Texture, number>();

  constructor(document: Document, limits: WorkLimits) {
    this.#document = document;
    this.#limits = limits;
  }

  /**
   * The texture of three or four channels, as large as the largest that it is made of, once for the same ones; undefined where one of them
   * cannot be decoded here.
   * @throws ConversionError `limit` for a texture with too many pixels
   */
  async pack(name: string, channels: readonly ChannelSource[]): Promise<Texture | undefined> {
    const key = JSON.stringify(
      channels.map((source) =>
        typeof source === 'number' ? source : { ...source, texture: this.#idOf(source.texture) },
      ),
    );
    const packing = this.#packed.get(key) ?? this.#pack(name, channels);
    this.#packed.set(key, packing);
    return await packing;
  }

  async #pack(name: string, channels: readonly ChannelSource[]): Promise<Texture | undefined> {
    const textures = new Set(channels.flatMap((source) => (typeof source === 'number' ? [] : [source.texture])));
    const sizes = [...textures].map(sizeOf);
    const [width, height] = [0, 1].map((side) =>
      Math.max(...sizes.map((size) => (side === 0 ? size?.width : size?.height) ?? 0)),
    );
    if (!width || !height) return undefined;
    checkLimit('texturePixels', width * height, this.#limits);
    const decoded = new Map<Texture, Pixels>();
    for (const texture of textures) {
      const pixels = await this.#decode(texture, width, height);
      if (pixels === undefined) return undefined;
      decoded.set(texture, pixels);
    }
    const count = channels.length;
    const data = Buffer.alloc(count * width * height);
    for (const [channel, source] of channels.entries()) fillChannel(data, channel, count, source, decoded);
    const sharp = await loadSharp();
    const raw = { width, height, channels: count === 4 ? (4 as const) : (3 as const) };
    const png = await sharp(data, { ...MEASURED, raw })
      .png({ compressionLevel: 1 })
      .toBuffer();
    return this.#document.createTexture(name).setImage(new Uint8Array(png)).setMimeType('image/png');
  }

  async #decode(texture: Texture, width: number, height: number): Promise<Pixels | undefined> {
    const image = texture.getImage();
    if (image === null || texture.getMimeType() === 'image/ktx2') return undefined;
    const size = { width, height };
    const pixels = await decodePixels(image, { maxPixels: this.#limits.texturePixels, size });
    return pixels && { data: pixels.data, channels: pixels.info.channels };
  }

  #idOf(texture: Texture): number {
    const id = this.#ids.get(texture) ?? this.#ids.size;
    this.#ids.set(texture, id);
    return id;
  }
}

/** Of one to four channels. */
interface Pixels {
  readonly data: Buffer;
  readonly channels: number;
}

function fillChannel(
  data: Buffer,
  channel: number,
  count: number,
  source: ChannelSource,
  decoded: ReadonlyMap<Texture, Pixels>,
): void {
  const pixels = typeof source === 'number' ? undefined : decoded.get(source.texture);
  for (let pixel = 0; pixel * count < data.length; pixel += 1) {
    const value = typeof source === 'number' || pixels === undefined ? source : valueAt(pixels, pixel, source);
    data[pixel * count + channel] = typeof value === 'number' ? value : 255;
  }
}

function valueAt({ data, channels }: Pixels, pixel: number, source: Exclude<ChannelSource, number>): number {
  const at = (channel: number) => data[pixel * channels + (channels < 3 ? 0 : channel)] ?? 0;
  const value = {
    red: () => at(0),
    green: () => at(1),
    blue: () => at(2),
    grey: () => Math.round((at(0) + at(1) + at(2)) / 3),
  }[source.channel]();
  return source.isInverted ? 255 - value : value;
}
