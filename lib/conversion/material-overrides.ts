import { createContext, Script } from 'node:vm';
import { z } from 'zod';
import { ConversionError } from './conversion-error.ts';
import type { ConversionSettings } from './conversion-settings.ts';
import { describeIssues } from './describe-issues.ts';
import type { ModelFolder } from './model-references.ts';
import { findOverrides, parseJsonFile, readAtMost } from './settings-files.ts';

const textureMap = z.enum([
  'AlbedoMap',
  'EmissiveMap',
  'NormalMap',
  'OcclusionMap',
  'RoughnessMap',
  'MetalnessMap',
  'ReflectivityMap',
  'BumpMap',
  'OpacityMap',
  'DiffuseMap',
  'SpecularMap',
  'ShininessMap',
  'MetallicRoughnessMap',
  'SpecularGlossinessMap',
]);

const factor = z.number().min(0).max(1);

const color = z
  .strictObject({ r: factor.optional(), g: factor.optional(), b: factor.optional(), a: factor.optional() })
  .refine(({ r, g, b, a }) => {
    const given = [r, g, b].filter((value) => value !== undefined).length;
    return given === 3 || (given === 0 && a !== undefined);
  }, 'an object of r, g and b, of a alone, or of all four');

/** One material override as it is written: contract 2.7. */
export const materialOverride = z.strictObject({
  name: z.string().describe('Name of the materials, exactly or as a regular expression that matches all of it.'),
  nameMatching: z.enum(['exact', 'regex']).optional().describe('How `name` is meant; `exact` where it is not said.'),
  unlit: z
    .boolean()
    .optional()
    .describe('Shows the colour without light; `false` takes back what `unlitMaterials` does.'),
  albedoColor: color.optional().describe('Linear colour, opacity, or both.'),
  roughness: factor.optional().describe('Multiplied with its texture.'),
  metalness: factor.optional().describe('Multiplied with its texture.'),
  normalMapScale: z.number().optional().describe('How strong the normal map is.'),
  transparent: z.boolean().optional().describe('Whether what is behind shines through.'),
  alphaClipEnabled: z
    .boolean()
    .optional()
    .describe('Cuts out what is less opaque than the threshold; not with `transparent`.'),
  alphaClipThreshold: z.number().min(0).optional().describe('Opacity from which on something is shown.'),
  useVertexColor: z
    .boolean()
    .optional()
    .describe('`false` drops the colours of vertices; glTF always uses those that there are.'),
  isDoubleSided: z.boolean().optional().describe('Whether the back of triangles is shown.'),
  transparencyWritesDepth: z
    .boolean()
    .optional()
    .describe('glTF has nothing for it; `true` is answered with a warning.'),
  ignoreTextureMaps: z.array(textureMap).optional().describe('Textures that are left out.'),
});

export type MaterialOverride = z.output<typeof materialOverride>;
export type TextureMap = z.output<typeof textureMap>;

/**
 * What the material override file of a model says; undefined where there is none.
 * @throws ConversionError `missing_files`, `limit`, or `input_refused` with every wrong key, its value and what is allowed
 */
export async function readOverrides(
  folder: ModelFolder,
  modelFile: string,
  settings: ConversionSettings,
): Promise<MaterialOverride[] | undefined> {
  const found = await findOverrides(folder, modelFile, settings);
  if (found === undefined) return undefined;
  const { path, file } = found;
  return parseOverrides(parseJsonFile(await readAtMost(MAX_FILE_BYTES, file, path), path), path);
}

/** Generous for an override of each of the most materials that a model may have (contract 2.6). */
const MAX_FILE_BYTES = 16 * 2 ** 20;

function parseOverrides(value: unknown, path: string): MaterialOverride[] {
  const list = z.array(materialOverride);
  const parsed = list.safeParse(value);
  if (!parsed.success) {
    const why = describeIssues(list, parsed.error, value, 'material override');
    throw new ConversionError('input_refused', `${path} cannot be used: ${why}`, { cause: parsed.error });
  }
  for (const [i, { name, nameMatching }] of parsed.data.entries()) {
    if (nameMatching === 'regex') checkExpression(`'[${i}].name' in ${path}`, name);
  }
  return parsed.data;
}

function checkExpression(what: string, source: string): void {
  try {
    new RegExp(source);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${what} is ${JSON.stringify(source)}; allowed is a regular expression of JavaScript. ${why}.`;
    throw new ConversionError('input_refused', message, { cause: error });
  }
}

/**
 * The override of each material name that has one: that of exactly this name, else the first whose expression matches all of it.
 * @throws ConversionError `limit` for expressions that take too long: some take longer than the universe is old
 */
export function overridesOf(
  names: readonly string[],
  overrides: readonly MaterialOverride[],
): ReadonlyMap<string, MaterialOverride> {
  const chosen = new Map<string, MaterialOverride>();
  const wanted = new Set(names);
  for (const override of overrides) {
    const { name, nameMatching } = override;
    if (nameMatching !== 'regex' && wanted.has(name) && !chosen.has(name)) chosen.set(name, override);
  }
  const expressions = overrides.filter(({ nameMatching }) => nameMatching === 'regex');
  if (expressions.length === 0) return chosen;
  const matcher = new Matcher();
  for (const override of expressions) {
    const left = [...wanted].filter((name) => !chosen.has(name));
    for (const name of matcher.of(override.name, left)) chosen.set(name, override);
  }
  return chosen;
}

/** Time for all expressions of a file together. */
const MATCHING_MILLISECONDS = 2000;

/** A script can be interrupted while it matches; a function of ours cannot. */
const matching = new Script('names.filter((name) => expression.test(name))');

class Matcher {
  readonly #context = createContext({});
  #left = MATCHING_MILLISECONDS;

  of(source: string, names: readonly string[]): readonly string[] {
    const start = performance.now();
    Object.assign(this.#context, { names, expression: new RegExp(`^(?:${source})$`) });
    try {
      if (this.#left <= 0) throw tooLong(source);
      return z.array(z.string()).parse(matching.runInContext(this.#context, { timeout: Math.ceil(this.#left) }));
    } catch (error) {
      // An error of that context is none of ours.
      const isTimeout = Reflect.get(Object(error), 'code') === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
      throw isTimeout ? tooLong(source) : error;
    } finally {
      this.#left -= performance.now() - start;
    }
  }
}

function tooLong(source: string): ConversionError {
  const message = `The names of materials were matched for ${MATCHING_MILLISECONDS} ms, at last with ${JSON.stringify(source)}. Write simpler expressions.`;
  return new ConversionError('limit', message);
}
