import { loadSharp } from '../textures/sharp-images.ts';

/** True for an image whose colours are directions, most of them straight up: blue, where heights are grey. */
export async function looksLikeNormalMap(image: Uint8Array): Promise<boolean> {
  const sharp = await loadSharp();
  const pixels = await sharp(image, { failOn: 'none', ignoreIcc: true })
    .removeAlpha()
    .resize(1, 1, { fit: 'fill' })
    .toColourspace('srgb')
    .raw()
    .toBuffer()
    .catch(() => undefined);
  const [red = 0, green = 0, blue = 0] = pixels ?? [];
  return blue > 180 && Math.abs(red - 128) < 40 && Math.abs(green - 128) < 40;
}
