import type { Json, JsonObject } from './json-objects.ts';

/** What values at a path of a glTF's JSON may be. */
export interface Rule {
  /** `*` is each item of a list. */
  readonly path: string;
  /** The value itself where it is right; undefined where it has to go, so that its default holds. */
  readonly mend: (value: Json, owner: JsonObject) => Json;
}

const MATERIAL = 'materials/*';
const LIGHT = 'extensions/KHR_lights_punctual/lights/*';

/** glTF 2.0, 5 and its extensions: what the properties of each object may be. */
export const rules: readonly Rule[] = [
  ...numbersOf(`${MATERIAL}/pbrMetallicRoughness`, {
    baseColorFactor: [4, 0, 1],
    metallicFactor: [1, 0, 1],
    roughnessFactor: [1, 0, 1],
  }),
  ...numbersOf(MATERIAL, { emissiveFactor: [3, 0, 1], alphaCutoff: [1, 0, Infinity] }),
  { path: `${MATERIAL}/alphaMode`, mend: word('OPAQUE', 'MASK', 'BLEND') },
  {
    path: `${MATERIAL}/doubleSided`,
    mend: (value) => (typeof value === 'boolean' ? value : value === 1 || value === 'true'),
  },
  ...numbersOf(`${MATERIAL}/normalTexture`, { scale: [1, -Infinity, Infinity] }),
  ...numbersOf(`${MATERIAL}/occlusionTexture`, { strength: [1, 0, 1] }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_anisotropy`, {
    anisotropyStrength: [1, 0, 1],
    anisotropyRotation: [1, -Infinity, Infinity],
  }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_clearcoat`, {
    clearcoatFactor: [1, 0, 1],
    clearcoatRoughnessFactor: [1, 0, 1],
  }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_diffuse_transmission`, {
    diffuseTransmissionFactor: [1, 0, 1],
    diffuseTransmissionColorFactor: [3, 0, 1],
  }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_dispersion`, { dispersion: [1, 0, Infinity] }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_emissive_strength`, { emissiveStrength: [1, 0, Infinity] }),
  {
    path: `${MATERIAL}/extensions/KHR_materials_ior/ior`,
    mend: (value) => (value === 0 ? 0 : clamped(value, 1, Infinity)),
  },
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_iridescence`, {
    iridescenceFactor: [1, 0, 1],
    iridescenceIor: [1, 1, Infinity],
    iridescenceThicknessMinimum: [1, 0, Infinity],
    iridescenceThicknessMaximum: [1, 0, Infinity],
  }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_pbrSpecularGlossiness`, {
    diffuseFactor: [4, 0, 1],
    specularFactor: [3, 0, 1],
    glossinessFactor: [1, 0, 1],
  }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_sheen`, {
    sheenColorFactor: [3, 0, 1],
    sheenRoughnessFactor: [1, 0, 1],
  }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_specular`, {
    specularFactor: [1, 0, 1],
    specularColorFactor: [3, 0, Infinity],
  }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_transmission`, { transmissionFactor: [1, 0, 1] }),
  ...numbersOf(`${MATERIAL}/extensions/KHR_materials_volume`, {
    thicknessFactor: [1, 0, Infinity],
    attenuationColor: [3, 0, 1],
  }),
  { path: `${MATERIAL}/extensions/KHR_materials_volume/attenuationDistance`, mend: above0() },
  ...numbersOf(LIGHT, { color: [3, 0, 1], intensity: [1, 0, Infinity] }),
  { path: `${LIGHT}/range`, mend: above0() },
  ...numbersOf(`${LIGHT}/spot`, { innerConeAngle: [1, 0, Math.PI / 2], outerConeAngle: [1, 0, Math.PI / 2] }),
  { path: `${LIGHT}/spot/outerConeAngle`, mend: above0() },
  {
    path: `${LIGHT}/spot/innerConeAngle`,
    mend: (inner, { outerConeAngle: outer = Math.PI / 4 }) => (Number(inner) < Number(outer) ? inner : 0),
  },
  { path: 'cameras/*/perspective/yfov', mend: above0(0.8) },
  { path: 'cameras/*/perspective/znear', mend: above0(0.1) },
  { path: 'cameras/*/perspective/aspectRatio', mend: above0() },
  { path: 'cameras/*/perspective/zfar', mend: (far, { znear }) => (Number(far) > Number(znear) ? far : undefined) },
  { path: 'cameras/*/orthographic/xmag', mend: (value) => (Number(value) === 0 ? 1 : value) },
  { path: 'cameras/*/orthographic/ymag', mend: (value) => (Number(value) === 0 ? 1 : value) },
  ...numbersOf('cameras/*/orthographic', { znear: [1, 0, Infinity] }),
  {
    path: 'cameras/*/orthographic/zfar',
    mend: (far, { znear }) => (Number(far) > Number(znear) ? far : Number(znear) + 1000),
  },
  { path: 'samplers/*/magFilter', mend: code(9728, 9729) },
  { path: 'samplers/*/minFilter', mend: code(9728, 9729, 9984, 9985, 9986, 9987) },
  { path: 'samplers/*/wrapS', mend: code(33071, 33648, 10497) },
  { path: 'samplers/*/wrapT', mend: code(33071, 33648, 10497) },
  { path: 'animations/*/samplers/*/interpolation', mend: word('LINEAR', 'STEP', 'CUBICSPLINE') },
];

/** How many numbers, from which to which. */
type Numbers = readonly [count: number, least: number, most: number];

function numbersOf(owner: string, properties: Readonly<Record<string, Numbers>>): Rule[] {
  return Object.entries(properties).map(([key, [count, least, most]]) => ({
    path: `${owner}/${key}`,
    mend: (value) => (count === 1 ? clamped(value, least, most) : allClamped(value, count, least, most)),
  }));
}

function clamped(value: Json, least: number, most: number): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : undefined;
}

function allClamped(value: Json, count: number, least: number, most: number): Json {
  if (!Array.isArray(value) || value.length !== count) return undefined;
  const within = value.map((one) => clamped(one, least, most));
  if (within.includes(undefined)) return undefined;
  return within.every((one, i) => one === value[i]) ? value : within;
}

function above0(fallback?: number): Rule['mend'] {
  return (value) => (typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : fallback);
}

/** One of these words, in whatever case. */
function word(...allowed: readonly string[]): Rule['mend'] {
  return (value) => (typeof value === 'string' ? allowed.find((one) => one === value.toUpperCase()) : undefined);
}

function code(...allowed: readonly number[]): Rule['mend'] {
  return (value) => allowed.find((one) => one === value);
}
