import type { ConversionWarning } from '../conversion-outcome.ts';
import { isObject, type Json, type JsonObject, objectsAt } from './json-objects.ts';
import { type Rule, rules } from './value-rules.ts';

/**
 * Mends values of a glTF's JSON that the format does not allow and viewers do not mind: nulls and -1 for what is not there, factors beyond
 * their range, and those of another type, which have their defaults.
 * @returns a warning for each kind of value that is another then
 */
export function mendValues(json: unknown): ConversionWarning[] {
  if (!isObject(json)) return [];
  dropAbsent(json);
  describeByText(json);
  strengthenEmission(json);
  return [...rules.flatMap((rule) => mendAll(json, rule)), ...dropCameras(json), ...dropLights(json)];
}

/** Properties that are an index where they are numbers. */
const INDICES: ReadonlySet<string> = new Set([
  ...['bufferView', 'camera', 'indices', 'inverseBindMatrices', 'material', 'mesh'],
  ...['sampler', 'scene', 'skeleton', 'skin', 'source'],
]);

/** Some exporters write null, or the index -1, for what is not there. Metadata may have both. */
function dropAbsent(value: Json): void {
  if (Array.isArray(value)) for (const item of value) dropAbsent(item);
  if (!isObject(value)) return;
  for (const [key, held] of Object.entries(value)) {
    if (held === null || (held === -1 && INDICES.has(key))) delete value[key];
    else if (key !== 'extras') dropAbsent(held);
  }
}

/** What is said of the file is text; some exporters write numbers. */
function describeByText(json: JsonObject): void {
  for (const asset of objectsAt(json, ['asset'])) {
    for (const key of ['version', 'generator', 'copyright']) {
      if (typeof asset[key] === 'number') asset[key] = String(asset[key]);
    }
  }
}

const STRENGTH = 'KHR_materials_emissive_strength';

/** Light that is brighter than 1 is said by its strength. */
function strengthenEmission(json: JsonObject): void {
  for (const material of objectsAt(json, ['materials', '*'])) {
    const factor = material['emissiveFactor'];
    if (!Array.isArray(factor) || factor.length !== 3 || !factor.every((value) => typeof value === 'number')) continue;
    const most = Math.max(...factor);
    if (most <= 1) continue;
    const extensions = isObject(material['extensions']) ? material['extensions'] : {};
    const old = extensions[STRENGTH];
    const strength = isObject(old) && typeof old['emissiveStrength'] === 'number' ? old['emissiveStrength'] : 1;
    material['emissiveFactor'] = factor.map((value) => value / most);
    material['extensions'] = { ...extensions, [STRENGTH]: { emissiveStrength: strength * most } };
    const used = json['extensionsUsed'];
    json['extensionsUsed'] = [...new Set([...(Array.isArray(used) ? used : []), STRENGTH])];
  }
}

function mendAll(json: JsonObject, rule: Rule): ConversionWarning[] {
  const path = rule.path.split('/');
  const key = path.pop() ?? '';
  const mended = objectsAt(json, path).flatMap((object) => {
    const value = object[key];
    if (value === undefined) return [];
    const right = rule.mend(value, object);
    if (right === value) return [];
    if (right === undefined) delete object[key];
    else object[key] = right;
    return [{ value, right }];
  });
  const [first] = mended;
  return first === undefined ? [] : [warning(rule.path, first, mended.length)];
}

const MAX_SHOWN = 80;

function warning(
  path: string,
  { value, right }: { value: Json; right: Json | undefined },
  count: number,
): ConversionWarning {
  const shown = (what: Json | undefined) => (what === undefined ? 'none' : JSON.stringify(what).slice(0, MAX_SHOWN));
  const details = { path, value: shown(value), used: shown(right), count: String(count) };
  return { code: 'value_mended', title: 'Value that glTF does not allow', details };
}

/** Nodes go without cameras that are none. */
function dropCameras(json: JsonObject): ConversionWarning[] {
  const wrong = new Set<Json>();
  for (const [i, camera] of objectsAt(json, ['cameras', '*']).entries()) {
    const { type, perspective, orthographic } = camera;
    const lens = type === 'perspective' ? perspective : type === 'orthographic' ? orthographic : undefined;
    const needed = type === 'perspective' ? ['yfov', 'znear'] : ['xmag', 'ymag', 'znear', 'zfar'];
    if (isObject(lens) && needed.every((key) => typeof lens[key] === 'number')) continue;
    wrong.add(i);
    Object.assign(camera, { type: 'perspective', perspective: { yfov: 1, znear: 1 } });
  }
  for (const node of objectsAt(json, ['nodes', '*'])) if (wrong.has(node['camera'])) delete node['camera'];
  return wrong.size === 0 ? [] : [warning('cameras/*', { value: [...wrong], right: undefined }, wrong.size)];
}

const LIGHTS = 'KHR_lights_punctual';

/** Nodes go without lights that are none, or not there. */
function dropLights(json: JsonObject): ConversionWarning[] {
  const lights = objectsAt(json, ['extensions', LIGHTS, 'lights', '*']);
  const isRight = ({ type }: JsonObject) => type === 'directional' || type === 'point' || type === 'spot';
  const right = new Set<Json>(lights.flatMap((light, i) => (isRight(light) ? [i] : [])));
  for (const light of lights) if (!isRight(light)) light['type'] = 'point';
  const wrong = objectsAt(json, ['nodes', '*', 'extensions']).filter((extensions) => {
    const held = extensions[LIGHTS];
    if (held === undefined || (isObject(held) && right.has(held['light']))) return false;
    delete extensions[LIGHTS];
    return true;
  });
  const path = `nodes/*/extensions/${LIGHTS}`;
  return wrong.length === 0 ? [] : [warning(path, { value: 'no light', right: undefined }, wrong.length)];
}
