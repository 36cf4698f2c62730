import type { PlyElement } from './ply-header.ts';

/** Where a row has what; undefined for what it does not have. */
export interface VertexLayout {
  readonly position: Columns;
  readonly normal: Columns | undefined;
  readonly color: ColorLayout | undefined;
  readonly texcoord: readonly [number, number] | undefined;
  readonly intensity: number | undefined;
}

export interface ColorLayout {
  readonly columns: Columns;
  readonly alpha: number | undefined;
  /** Colours run from 0 to this; undefined where it takes all of them to know. */
  readonly brightest: number | undefined;
  /** What makes a brightness of a value; undefined where it is one. */
  readonly decode?: (value: number) => number;
}

/** Constant part of a Gaussian splat's spherical harmonics: its colour from all sides. */
const SPLAT_COLORS = ['f_dc_0', 'f_dc_1', 'f_dc_2'] as const;
const SPLAT_COLOR = 0.28209479177387814;

/** As CloudCompare and scanners' programs call it. */
const INTENSITIES = ['intensity', 'scalar_Intensity', 'scalar_intensity', 'reflectance'];

type Columns = readonly [number, number, number];

const COLORS = [
  ['red', 'green', 'blue', 'alpha'],
  ['diffuse_red', 'diffuse_green', 'diffuse_blue', 'diffuse_alpha'],
  ['ambient_red', 'ambient_green', 'ambient_blue', 'ambient_alpha'],
  ['r', 'g', 'b', 'a'],
] as const;

const TEXCOORDS = [
  ['s', 't'],
  ['u', 'v'],
  ['texture_u', 'texture_v'],
  ['texture_s', 'texture_t'],
] as const;

/** Undefined for an element without a position. */
export function vertexLayout(element: PlyElement): VertexLayout | undefined {
  const position = columns(element, ['x', 'y', 'z']);
  if (position === undefined) return undefined;
  return {
    position,
    normal: columns(element, ['nx', 'ny', 'nz']),
    color: colorLayout(element) ?? splatColors(element),
    intensity: INTENSITIES.map((name) => column(element, name)).find((found) => found !== undefined),
    texcoord: TEXCOORDS.map(([s, t]) => [column(element, s), column(element, t)] as const).find(isPair),
  };
}

/** True for vertices that are Gaussian splats. */
export function areSplats(element: PlyElement): boolean {
  return columns(element, SPLAT_COLORS) !== undefined && column(element, 'scale_0') !== undefined;
}

function splatColors(element: PlyElement): ColorLayout | undefined {
  const found = columns(element, SPLAT_COLORS);
  const decode = (value: number) => Math.min(1, Math.max(0, 0.5 + SPLAT_COLOR * value));
  return found && { columns: found, alpha: undefined, brightest: 1, decode };
}

/** Of vertices or of faces. */
export function colorLayout(element: PlyElement): ColorLayout | undefined {
  for (const [red, green, blue, alpha] of COLORS) {
    const found = columns(element, [red, green, blue]);
    if (found === undefined) continue;
    const type = element.properties[found[0]]?.type;
    return { columns: found, alpha: column(element, alpha), brightest: type?.brightest };
  }
  return undefined;
}

/** The list that one of the names has. */
export function listColumn({ properties }: PlyElement, names: readonly string[]): number | undefined {
  const found = properties.findIndex(({ name, countType }) => countType !== undefined && names.includes(name));
  return found < 0 ? undefined : found;
}

/** The number of the value that the name has. */
export function column({ properties }: PlyElement, wanted: string): number | undefined {
  const found = properties.findIndex(({ name, countType }) => countType === undefined && name === wanted);
  return found < 0 ? undefined : found;
}

function columns(element: PlyElement, [a, b, c]: readonly [string, string, string]): Columns | undefined {
  const [x, y, z] = [column(element, a), column(element, b), column(element, c)];
  return x === undefined || y === undefined || z === undefined ? undefined : [x, y, z];
}

function isPair(pair: readonly [number | undefined, number | undefined]): pair is readonly [number, number] {
  return pair[0] !== undefined && pair[1] !== undefined;
}
