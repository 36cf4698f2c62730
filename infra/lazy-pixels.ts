/**
 * Stands in for `ndarray-pixels` in the converter's bundle. `@gltf-transform/functions` imports it, and with it a native image library, for
 * functions that few models need: here that is loaded for those, and the converter starts sooner for all others.
 */
interface Pixels {
  readonly shape: readonly number[];
  get(x: number, y: number, channel: number): number;
}

/** An image of four channels as PNG, whichever type is asked for: the converter asks for no other. */
export async function savePixels(pixels: Pixels): Promise<Uint8Array> {
  const [width = 0, height = 0] = pixels.shape;
  const data = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
    const pixel = Math.floor(i / 4);
    return pixels.get(pixel % width, Math.floor(pixel / width), i % 4);
  });
  const { default: sharp } = await import('sharp');
  return await sharp(data, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

export function getPixels(): never {
  throw new Error('The converter decodes images by another way.');
}
