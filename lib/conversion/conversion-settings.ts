import { z } from 'zod';
import { ConversionError } from './conversion-error.ts';
import { describeIssues } from './describe-issues.ts';

const sidedness = z.enum(['SingleSided', 'DoubleSided']);
const axisName = z.enum(['default', '+x', '-x', '+y', '-y', '+z', '-z']);
const direction = z.enum(['AUTO', 'NONE', '8_8_8_8_SIGNED_NORMALIZED', '16_16_16_16_FLOAT']);
const color = z.enum(['NONE', '8_8_8_8_UNSIGNED_NORMALIZED']);
const texcoord = z.enum(['NONE', '32_32_FLOAT', '16_16_FLOAT']);

const vertexFormats = z.strictObject({
  position: z.enum(['32_32_32_FLOAT', '16_16_16_16_FLOAT']).optional(),
  color0: color.optional(),
  color1: color.optional(),
  normal: direction.optional(),
  tangent: direction.optional(),
  binormal: direction.optional(),
  texcoord0: texcoord.optional(),
  texcoord1: texcoord.optional(),
});

const axes = z
  .tuple([axisName, axisName, axisName])
  .refine(
    isBasis,
    'a list of three axes that lie along x, y and z, each once; default is +x, +y and +z in their places',
  );

/** Conversion settings as they are given: contract 2.7, and, from `simplificationError` on, what this converter has beyond it. */
export const conversionSettings = z.strictObject({
  scaling: z.number().positive().optional().describe('Factor on every length; the asset is in metres.'),
  recenterToOrigin: z.boolean().optional().describe('Moves the middle of the bounding box to the origin.'),
  opaqueMaterialDefaultSidedness: sidedness
    .optional()
    .describe(
      '`DoubleSided` shows the back of every material that is not transparent, `SingleSided` as the model has it.',
    ),
  'material-override': z
    .string()
    .optional()
    .describe("Name of the material override file in the model's folder; without it `<model>.MaterialOverrides.json`."),
  gammaToLinearMaterial: z
    .boolean()
    .optional()
    .describe('Takes the colours of materials for sRGB and makes them linear; textures tell on their own.'),
  gammaToLinearVertex: z.boolean().optional().describe('Takes the colours of vertices for sRGB and makes them linear.'),
  sceneGraphMode: z
    .enum(['none', 'static', 'dynamic'])
    .optional()
    .describe('`dynamic` keeps every node, `static` joins what does not move, `none` makes one object of it.'),
  generateCollisionMesh: z
    .boolean()
    .optional()
    .describe(
      'Picking works on the geometry that is shown, so that it always works; `false` is answered with a warning.',
    ),
  unlitMaterials: z.boolean().optional().describe('Shows the colours of all materials without light.'),
  deduplicateMaterials: z.boolean().optional().describe('Makes one material of several that look the same.'),
  fbxAssumeMetallic: z
    .boolean()
    .optional()
    .describe('Takes FBX materials without textures that shine brightly for metals; of no effect on other formats.'),
  axis: axes
    .optional()
    .describe('Which axis of the model becomes x, y and z: `["+x", "+z", "-y"]` puts up a model whose z points up.'),
  metadataKeys: z
    .array(z.string())
    .optional()
    .describe('Which metadata (`extras`) are kept, by their keys; `ABC*` is every key that begins so.'),
  vertex: vertexFormats
    .optional()
    .describe('How vertices are stored. glTF has no half floats: whole numbers of 16 bits take their place.'),
  simplificationError: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Largest error of simplification as a part of the model's size; 0 leaves every triangle."),
  geometryCompression: z.enum(['none', 'meshopt', 'draco']).optional().describe('How geometry is compressed.'),
  textureCompression: z
    .enum(['none', 'webp', 'ktx2'])
    .optional()
    .describe('What textures are stored as; `none` keeps what the model has.'),
  maxTextureSize: z
    .int()
    .min(1)
    .max(16_384)
    .optional()
    .describe('Longest side of a texture in pixels; larger ones are made smaller.'),
});

/** Each of the three axes once, whichever way it points. */
function isBasis(names: readonly z.output<typeof axisName>[]): boolean {
  return new Set(names.map((name, i) => (name === 'default' ? 'xyz'[i] : name[1]))).size === 3;
}

type Given = z.output<typeof conversionSettings>;
type Filled<T> = { readonly [Key in keyof T]-?: Exclude<T[Key], undefined> };

/** Settings with every default filled in. */
export type ConversionSettings = Filled<
  Omit<Given, 'vertex' | 'gammaToLinearMaterial' | 'gammaToLinearVertex' | 'metadataKeys'>
> & {
  readonly vertex: Filled<z.output<typeof vertexFormats>>;
  /** Undefined: as the format has it (contract 2.7: true for FBX, PLY, LAS and XYZ). */
  readonly gammaToLinearMaterial: boolean | undefined;
  readonly gammaToLinearVertex: boolean | undefined;
  /** Undefined: all of it is kept. */
  readonly metadataKeys: readonly string[] | undefined;
};

/** What holds where a model has settings that say nothing of a key: contract 2.7. */
const contractDefaults: ConversionSettings = {
  scaling: 1,
  recenterToOrigin: false,
  opaqueMaterialDefaultSidedness: 'DoubleSided',
  'material-override': '',
  gammaToLinearMaterial: undefined,
  gammaToLinearVertex: undefined,
  sceneGraphMode: 'dynamic',
  generateCollisionMesh: true,
  unlitMaterials: false,
  deduplicateMaterials: true,
  fbxAssumeMetallic: true,
  axis: ['+x', '+y', '+z'],
  metadataKeys: undefined,
  vertex: {
    position: '32_32_32_FLOAT',
    color0: '8_8_8_8_UNSIGNED_NORMALIZED',
    color1: 'NONE',
    normal: '8_8_8_8_SIGNED_NORMALIZED',
    tangent: '8_8_8_8_SIGNED_NORMALIZED',
    binormal: '8_8_8_8_SIGNED_NORMALIZED',
    texcoord0: '32_32_FLOAT',
    texcoord1: '32_32_FLOAT',
  },
  simplificationError: 0,
  geometryCompression: 'meshopt',
  textureCompression: 'webp',
  maxTextureSize: 16_384,
};

/** What holds for a model that comes without any settings: as small as can be without a difference that can be seen. */
const defaultsWithoutSettings: ConversionSettings = {
  ...contractDefaults,
  opaqueMaterialDefaultSidedness: 'SingleSided',
  sceneGraphMode: 'static',
  vertex: {
    ...contractDefaults.vertex,
    position: '16_16_16_16_FLOAT',
    texcoord0: '16_16_FLOAT',
    texcoord1: '16_16_FLOAT',
  },
  simplificationError: 0.0001,
  maxTextureSize: 2048,
};

/**
 * Settings with their defaults filled in.
 * @param value undefined for a model that has none; an empty object is a settings file, for which the contract's defaults hold
 * @param name what the settings are called in messages
 * @throws ConversionError `input_refused`: every wrong key with its value and what is allowed
 */
export function parseConversionSettings(value: unknown, name = 'The conversion settings'): ConversionSettings {
  if (value === undefined) return defaultsWithoutSettings;
  const parsed = conversionSettings.safeParse(value);
  if (!parsed.success) {
    const why = describeIssues(conversionSettings, parsed.error, value, 'setting');
    throw new ConversionError('input_refused', `${name} cannot be used: ${why}`, { cause: parsed.error });
  }
  const vertex = fill(contractDefaults.vertex, parsed.data.vertex ?? {});
  return { ...fill(contractDefaults, parsed.data), vertex };
}

function fill<T extends object>(defaults: T, given: object): T {
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(known) };
}
