import { type Layer, mergeLayers } from './merge-layers.ts';
import { GREY, hasAlpha, linear, MOST_MATERIALS, type Paint, packed } from './paint.ts';
import type { Color, MultiGroup, PlainGroup, PropertyGroup, ThreemfResources } from './threemf-model.ts';

/** What a group makes; undefined for one that is not there, and for layers of nothing. */
export function paintOf(group: PropertyGroup | undefined, resources: ThreemfResources): Paint | undefined {
  if (group === undefined) return undefined;
  return group.kind === 'multi' ? layered(group, resources) : plain(group, resources);
}

function plain(group: PlainGroup, resources: ThreemfResources): Paint {
  const shown = displayOf(group, resources);
  switch (group.kind) {
    case 'materials': {
      const colors = packed(group.entries.map(({ color }) => color));
      const isFlat = group.entries.length <= MOST_MATERIALS;
      const name = (entry: number) => (isFlat ? (group.entries[entry]?.name ?? 'default') : 'materials');
      return { name, colors, isFlat, isTranslucent: hasAlpha(colors), ...shown };
    }
    case 'colors':
      // Their opacity only counts in layers above others.
      return { ...opaquely('colors', shown), colors: packed(group.entries.map(opaque)) };
    case 'composites':
      return { ...opaquely('composites', shown), colors: composed(group, resources) };
    case 'texcoords': {
      // Images begin at their lower edge here.
      const texcoords = new Float32Array(group.entries.flatMap(([u, v]) => [u, 1 - v]));
      const name = resources.textures.get(group.texture)?.path ?? 'texture';
      return { name: () => name, texcoords, texture: group.texture, isFlat: false, isTranslucent: false };
    }
  }
}

/** Display properties do not blend within a triangle. */
function opaquely(name: string, shown: Pick<Paint, 'display'>): Paint {
  return { name: () => name, isFlat: shown.display !== undefined, isTranslucent: false, ...shown };
}

/** Mixes base materials by how much of each there is. */
function composed(group: PlainGroup & { readonly kind: 'composites' }, { groups }: ThreemfResources) {
  const found = groups.get(group.materials);
  const materials = found?.kind === 'materials' ? found.entries : [];
  const parts = group.indices.map((index) => linear(materials[index]?.color ?? GREY));
  const evenly = mixed(
    parts,
    parts.map(() => 1),
  );
  const colors = group.entries.map((values) => {
    const amounts = values.map((value) => (value > 0 ? value : 0));
    return amounts.some((amount) => amount > 0) ? mixed(parts, amounts) : evenly;
  });
  return Float32Array.from(colors.flat());
}

function mixed(colors: readonly Color[], amounts: readonly number[]): Color {
  const sum = [0, 0, 0];
  let whole = 0;
  for (const [i, amount] of amounts.slice(0, colors.length).entries()) {
    whole += amount;
    for (const j of [0, 1, 2]) sum[j] = (sum[j] ?? 0) + amount * (colors[i]?.[j] ?? 0);
  }
  const [red, green, blue] = sum.map((value) => value / (whole || 1));
  return [red ?? 0, green ?? 0, blue ?? 0, 1];
}

function layered(group: MultiGroup, resources: ThreemfResources): Paint | undefined {
  const layers = group.groups.flatMap((id, i): Layer[] => {
    const found = resources.groups.get(id);
    if (found === undefined || found.kind === 'multi') return [];
    const paint = plain(found, resources);
    // In a layer the opacity of colours counts.
    const colors = found.kind === 'colors' ? packed(found.entries) : paint.colors;
    const entries = Uint32Array.from(group.entries, (places) => places[i] ?? 0);
    const isMaterial = found.kind === 'materials' || found.kind === 'composites';
    return [
      { paint: { ...paint, ...(colors && { colors }) }, entries, isMaterial, method: group.methods[i - 1] ?? 'mix' },
    ];
  });
  return mergeLayers(layers, group.entries.length);
}

function displayOf({ display, entries }: PlainGroup, { displays }: ThreemfResources): Pick<Paint, 'display'> {
  const found = display === undefined ? undefined : displays.get(display);
  return found === undefined || entries.length > MOST_MATERIALS ? {} : { display: (entry) => found[entry] };
}

function opaque([red, green, blue]: Color): Color {
  return [red, green, blue, 1];
}
