import { z } from 'zod';
import { ConversionError } from './conversion-error.ts';

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

/** Conversion settings as they are given: contract 2.7, and, from `simplificationError` on, what this converter has beyond it. */
export const conversionSettings = z.strictObject({
  /** Factor on every length. */
  scaling: z.number().positive().optional(),
  /** Moves the middle of the bounding box to the origin. */
  recenterToOrigin: z.boolean().optional(),
  opaqueMaterialDefaultSidedness: sidedness.optional(),
  /** Name of a file beside the model; empty for none. */
  'material-override': z.string().optional(),
  gammaToLinearMaterial: z.boolean().optional(),
  gammaToLinearVertex: z.boolean().optional(),
  sceneGraphMode: z.enum(['none', 'static', 'dynamic']).optional(),
  generateCollisionMesh: z.boolean().optional(),
  unlitMaterials: z.boolean().optional(),
  /** Makes one material of several that look the same. */
  deduplicateMaterials: z.boolean().optional(),
  fbxAssumeMetallic: z.boolean().optional(),
  axis: z.tuple([axisName, axisName, axisName]).optional(),
  metadataKeys: z.array(z.string()).optional(),
  vertex: vertexFormats.optional(),
  /** Largest error of simplification as a part of the model's size; 0 leaves every triangle. */
  simplificationError: z.number().min(0).max(1).optional(),
  geometryCompression: z.enum(['none', 'meshopt', 'draco']).optional(),
  textureCompression: z.enum(['none', 'webp', 'ktx2']).optional(),
  /** Longest side of a texture in pixels; larger ones are made smaller. */
  maxTextureSize: z.int().min(1).max(16_384).optional(),
});

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
 * @throws ConversionError `input_refused`: every wrong key with its value and what is allowed
 */
export function parseConversionSettings(value: unknown): ConversionSettings {
  if (value === undefined) return defaultsWithoutSettings;
  const parsed = conversionSettings.safeParse(value);
  if (!parsed.success) {
    const why = describeSettingsIssues(parsed.error.issues, value);
    throw new ConversionError('input_refused', why, { cause: parsed.error });
  }
  const vertex = fill(contractDefaults.vertex, parsed.data.vertex ?? {});
  return { ...fill(contractDefaults, parsed.data), vertex };
}

function fill<T extends object>(defaults: T, given: object): T {
  const known = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(known) };
}

function describeSettingsIssues(issues: readonly z.core.$ZodIssue[], value: unknown): string {
  return `Conversion settings: ${issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')} ${typeof value}`;
}
