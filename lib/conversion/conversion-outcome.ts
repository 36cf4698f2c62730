import { z } from 'zod';
import { LIMITS } from './conversion-limits.ts';
import type { WarningCode } from './warning-codes.ts';

const warning = z.object({
  /** Contract 2.8 where it has a number for it, as 4004; else a word of our own. */
  code: z.string(),
  title: z.string(),
  details: z.record(z.string(), z.string()),
});
/** One that this converter tells; what an earlier one stored may have other codes. */
export type ConversionWarning = z.output<typeof warning> & { readonly code: WarningCode };

const counts = z.object({
  bytes: z.number(),
  triangles: z.number(),
  vertices: z.number(),
  materials: z.number(),
  /** Mesh parts: each has one material. */
  meshes: z.number(),
});
/** What a conversion made of what, for records and people. Geometry is counted once, however often the scene uses it. */
const summary = z.object({ input: counts.extend({ files: z.number() }), output: counts });

const vector = z.array(z.number()).length(3);
const info = z.object({
  inputInfo: z.object({
    sourceAssetFormat: z.string(),
    sourceAssetFormatVersion: z.string(),
    sourceAssetGenerator: z.string(),
  }),
  inputStatistics: z.object({
    numMeshes: z.number(),
    numFaces: z.number(),
    numVertices: z.number(),
    numMaterial: z.number(),
    numFacesSmallestMesh: z.number(),
    numFacesBiggestMesh: z.number(),
    numNodes: z.number(),
    numMeshUsagesInScene: z.number(),
    maxNodeDepth: z.number(),
  }),
  outputStatistics: z.object({
    numMeshPartsCreated: z.number(),
    numMeshPartsInstanced: z.number(),
    recenteringOffset: vector.optional(),
    boundingBox: z.object({ min: vector, max: vector }),
  }),
});
/** The part of `.info.json` that belongs to the content, not to one conversion's names: contract 2.8. */
export type ConversionInfo = z.output<typeof info>;

const validation = z.object({
  validator: z.string(),
  numErrors: z.number(),
  numWarnings: z.number(),
  numInfos: z.number(),
  /** The first of them, errors first. */
  messages: z.array(z.string()),
});
/** What the Khronos validator says of the asset. */
export type ValidationReport = z.output<typeof validation>;

const succeeded = z.object({
  status: z.literal('succeeded'),
  asset: z.object({ path: z.string(), bytes: z.number() }),
  info,
  summary,
  warnings: z.array(warning),
  validation,
});

const failed = z.object({
  status: z.literal('failed'),
  error: z.object({
    code: z.enum(['input_refused', 'missing_files', 'limit', 'timeout', 'memory', 'cancelled', 'conversion_failed']),
    /** What failed, which input and what to do. */
    message: z.string(),
    /** Which bound was met, where it is one that can be set. */
    limit: z.enum(LIMITS).optional(),
  }),
  warnings: z.array(warning),
});

export const conversionOutcome = z.discriminatedUnion('status', [succeeded, failed]);
/** How a conversion ended. A failure is a value: it is written down like a success. */
export type ConversionOutcome = z.output<typeof conversionOutcome>;
export type FailedConversion = z.output<typeof failed>;
export type SucceededConversion = z.output<typeof succeeded>;

const conversionPhase = z.enum(['reading', 'importing', 'optimising', 'compressing', 'validating', 'writing']);
type ConversionPhase = z.output<typeof conversionPhase>;

/** How far a conversion is, with the sizes that are known by then. */
export const conversionProgress = z.object({
  phase: conversionPhase,
  /** Of the model with all that it refers to. */
  inputBytes: z.number().optional(),
  /** Of the model as it now is, geometry counted once. */
  triangles: z.number().optional(),
  vertices: z.number().optional(),
  outputBytes: z.number().optional(),
});
export type ConversionProgress = z.output<typeof conversionProgress>;

/** Hears of each phase as it begins, with the sizes that have become known. */
export type OnPhase = (phase: ConversionPhase, sizes?: Omit<ConversionProgress, 'phase'>) => void;
