import { availableParallelism } from 'node:os';
import { type Document, type Texture, TextureChannel } from '@gltf-transform/core';
import { EXTTextureAVIF, EXTTextureWebP, KHRTextureBasisu } from '@gltf-transform/extensions';
import { getTextureChannelMask, getTextureColorSpace, listTextureSlots } from '@gltf-transform/functions';
import type { WorkLimits } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import type { ConversionSettings } from '../conversion-settings.ts';
import { textureWarnings } from '../images/texture-warnings.ts';
import { sizeOf } from './check-textures.ts';
import { type EncodedImage, encodeImage, type ImagePlan } from './encode-image.ts';
import type { PixelSize } from './image-size.ts';

/** Pixels that are worked on at the same time: each takes about a dozen bytes. */
const PIXELS_AT_ONCE = 2 ** 25;

type TextureSettings = Pick<ConversionSettings, 'textureCompression' | 'maxTextureSize'>;

/** Textures that are being encoded while the geometry is worked on. */
export interface TextureWork {
  /** Waits for all of them and puts them into the document; those that cannot be read are dropped, with a warning. */
  finish(): Promise<ConversionWarning[]>;
}

/** Begins to encode all textures of a document, as their materials use them now; the document stays as it is until the end. */
export function encodeTextures(document: Document, settings: TextureSettings, limits: WorkLimits): TextureWork {
  const plans = document
    .getRoot()
    .listTextures()
    .map((texture) => ({ texture, plan: planOf(texture, settings, limits) }));
  const known = new Set(plans.map(({ texture }) => texture));
  // The longest first, so that none is left alone at the end.
  const queue = plans.toSorted((a, b) => pixelsOf(b.plan) - pixelsOf(a.plan));
  const work = sideBySide(
    queue,
    ({ plan }) => pixelsOf(plan),
    async ({ texture, plan }) => ({ texture, plan, encoded: await encodeImage(plan) }),
  );
  // It is waited for later; until then nobody hears of its failure.
  work.catch(() => undefined);
  return {
    finish: async () => {
      const warnings = (await work).flatMap(({ texture, plan, encoded }) => replace(texture, encoded, plan));
      await encodePalettes(document, known, settings);
      declareFormats(document);
      return warnings;
    },
  };
}

function planOf(texture: Texture, settings: TextureSettings, limits: WorkLimits): ImagePlan {
  const slots = listTextureSlots(texture);
  const colour = getTextureColorSpace(texture) === 'srgb';
  return {
    image: texture.getImage() ?? new Uint8Array(0),
    mimeType: texture.getMimeType(),
    size: sizeOf(texture) ?? { width: 1, height: 1 },
    alpha: alphaUse(texture),
    use: colour ? 'colour' : slots.some((slot) => /normal/i.test(slot)) ? 'normal' : 'data',
    compression: settings.textureCompression,
    maxSize: settings.maxTextureSize,
    maxPixels: limits.texturePixels,
  };
}

function alphaUse(texture: Texture): ImagePlan['alpha'] {
  if ((getTextureChannelMask(texture) & TextureChannel.A) === 0) return 'none';
  const isOpacity = listTextureSlots(texture).every((slot) => slot === 'baseColorTexture' || slot === 'diffuseTexture');
  return isOpacity ? 'opacity' : 'data';
}

function replace(texture: Texture, encoded: EncodedImage, { mimeType, maxSize, size }: ImagePlan): ConversionWarning[] {
  if (encoded === 'unreadable') {
    const kind = mimeType.replace('image/', '').toUpperCase();
    const warnings = textureWarnings({ unreadable: `It is a ${kind} that cannot be decoded; save it again.` }, texture);
    texture.dispose();
    return warnings;
  }
  if (encoded === 'kept') {
    return Math.max(size.width, size.height) > maxSize ? textureWarnings('kept large', texture) : [];
  }
  texture.setImage(encoded.image).setMimeType(encoded.mimeType);
  return encoded.isCutOff ? textureWarnings('cut off', texture) : [];
}

/** Colours that materials were merged into meanwhile: a few pixels, of which each counts. */
async function encodePalettes(
  document: Document,
  known: ReadonlySet<Texture>,
  settings: TextureSettings,
): Promise<void> {
  if (settings.textureCompression !== 'webp') return;
  const { loadSharp, MEASURED } = await import('./sharp-images.ts');
  for (const texture of document.getRoot().listTextures()) {
    const image = texture.getImage();
    if (known.has(texture) || !image) continue;
    const sharp = await loadSharp();
    const smaller = await sharp(image, MEASURED).webp({ lossless: true, exact: true, effort: 6 }).toBuffer();
    if (smaller.length < image.length) texture.setImage(new Uint8Array(smaller)).setMimeType('image/webp');
  }
}

function declareFormats(document: Document): void {
  const used = new Set(
    document
      .getRoot()
      .listTextures()
      .map((texture) => texture.getMimeType()),
  );
  if (used.has('image/webp')) document.createExtension(EXTTextureWebP).setRequired(true);
  else document.disposeExtension(EXTTextureWebP.EXTENSION_NAME);
  if (used.has('image/avif')) document.createExtension(EXTTextureAVIF).setRequired(true);
  else document.disposeExtension(EXTTextureAVIF.EXTENSION_NAME);
  if (used.has('image/ktx2')) document.createExtension(KHRTextureBasisu).setRequired(true);
  else document.disposeExtension(KHRTextureBasisu.EXTENSION_NAME);
}

function pixelsOf({ size }: { readonly size: PixelSize }): number {
  return size.width * size.height;
}

/** Works on as many items at once as there are cores, with some in reserve, and as memory allows; at least on one. */
async function sideBySide<Item, Result>(
  items: readonly Item[],
  costOf: (item: Item) => number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const waiting = [...items];
  const running = new Set<Promise<void>>();
  const results: Result[] = [];
  let cost = 0;
  while (waiting.length > 0 || running.size > 0) {
    const [next] = waiting;
    const fits =
      running.size < availableParallelism() + 2 && cost + (next === undefined ? 0 : costOf(next)) <= PIXELS_AT_ONCE;
    if (next !== undefined && (fits || running.size === 0)) {
      waiting.shift();
      cost += costOf(next);
      const run = work(next).then((result) => {
        results.push(result);
        cost -= costOf(next);
        running.delete(run);
      });
      running.add(run);
    } else await Promise.race(running);
  }
  return results;
}
