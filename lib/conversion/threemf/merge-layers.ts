import { hasAlpha, MOST_MATERIALS, type Paint } from './paint.ts';

/** A layer of several that lie on one another. */
export interface Layer {
  readonly paint: Paint;
  /** Its entry for each entry of the whole. */
  readonly entries: Uint32Array<ArrayBuffer>;
  /** True for what a thing is made of, on which the others are laid. */
  readonly isMaterial: boolean;
  /** How it is laid on those below: `mix` or `multiply`. */
  readonly method: string;
}

type Colors = Float32Array<ArrayBuffer>;

interface Merged {
  colors: Colors;
  texture: Layer | undefined;
  under: Colors | undefined;
  isRough: boolean;
}

/**
 * Makes one paint of layers, the lowest first (materials and properties extension, 5). glTF shows one texture, times colours: of several, and of
 * colours that are half clear above one, the result is only near.
 * @param count of the entries
 */
export function mergeLayers(layers: readonly Layer[], count: number): Paint | undefined {
  const [first, second] = layers;
  if (first === undefined) return undefined;
  const isOnMaterial = first.isMaterial && second !== undefined;
  const base = isOnMaterial ? second : first;
  const material = isOnMaterial ? colorsOf(first, count) : undefined;
  const merged = startWith(base, count, material);
  if (merged.texture === undefined && !(isOnMaterial && base.method === 'mix')) fillAlpha(merged.colors);
  for (const layer of layers.slice(isOnMaterial ? 2 : 1)) lay(layer, merged, count);
  if (merged.texture === undefined && material !== undefined) merged.colors = mix(material, merged.colors);
  return { ...paintFrom(merged, count), ...displayedAs(first, count) };
}

function paintFrom({ colors, texture, under, isRough }: Merged, count: number): Paint {
  // Each colour below a texture makes a texture of its own.
  const shown = count <= MOST_MATERIALS ? under : undefined;
  return {
    name: texture?.paint.name ?? (() => 'multiproperties'),
    colors,
    isFlat: false,
    isTranslucent: hasAlpha(colors),
    isRough: isRough || shown !== under,
    ...(texture && texturedBy(texture, shown)),
  };
}

function displayedAs({ paint, entries }: Layer, count: number): Pick<Paint, 'display'> {
  if (paint.display === undefined || count > MOST_MATERIALS) return {};
  return { display: (entry) => paint.display?.(entries[entry] ?? 0) };
}

function startWith(layer: Layer, count: number, material: Colors | undefined): Merged {
  const isTexture = layer.paint.texture !== undefined;
  return {
    colors: isTexture ? white(count) : colorsOf(layer, count),
    texture: isTexture ? layer : undefined,
    under: isTexture ? material : undefined,
    isRough: false,
  };
}

function lay(layer: Layer, merged: Merged, count: number): void {
  const isTexture = layer.paint.texture !== undefined;
  if (isTexture && merged.texture !== undefined) merged.isRough = true;
  if (layer.method === 'multiply') {
    if (isTexture) merged.texture = layer;
    else merged.colors = multiply(merged.colors, colorsOf(layer, count));
  } else if (isTexture) {
    merged.under = merged.texture === undefined ? merged.colors : undefined;
    merged.texture = layer;
    merged.colors = white(count);
  } else {
    layColors(colorsOf(layer, count), merged);
  }
}

function layColors(colors: Colors, merged: Merged): void {
  if (merged.texture !== undefined && hasAlpha(colors)) {
    merged.isRough = true;
    return;
  }
  merged.texture = undefined;
  merged.under = undefined;
  merged.colors = mix(merged.colors, colors);
}

function texturedBy({ paint, entries }: Layer, under: Colors | undefined): Partial<Paint> {
  const { texture, texcoords = new Float32Array(0) } = paint;
  return {
    ...(texture !== undefined && { texture }),
    ...(under && { under }),
    texcoords: pick(texcoords, entries, 2, 0),
  };
}

function colorsOf({ paint, entries }: Layer, count: number): Colors {
  return paint.colors === undefined ? white(count) : pick(paint.colors, entries, 4, 1);
}

function pick(values: Colors, entries: Uint32Array<ArrayBuffer>, size: number, missing: number): Colors {
  return Float32Array.from({ length: size * entries.length }, (_, i) => {
    return values[size * (entries[Math.floor(i / size)] ?? 0) + (i % size)] ?? missing;
  });
}

function white(count: number): Colors {
  return new Float32Array(4 * count).fill(1);
}

function fillAlpha(colors: Colors): void {
  for (let i = 3; i < colors.length; i += 4) colors[i] = 1;
}

function mix(below: Colors, above: Colors): Colors {
  return above.map((value, i) => {
    const alpha = above[i - (i % 4) + 3] ?? 1;
    const beneath = (below[i] ?? 1) * (1 - alpha);
    return i % 4 === 3 ? alpha + beneath : value * alpha + beneath;
  });
}

function multiply(below: Colors, above: Colors): Colors {
  return above.map((value, i) => value * (below[i] ?? 1));
}
