import { z } from 'zod';
import { ConversionError } from '../conversion-error.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';
import { mendValues } from './mend-values.ts';

const index = z.int().nonnegative();
const bytes = z.int().nonnegative();
const list = <Item extends z.ZodType>(item: Item) => z.array(item).default([]);

/** Finite ones: JSON may hold 1e999, which is read as infinite. */
const numbers = (count: number) => z.array(z.number()).length(count).optional();

/** Components of an element by accessor type: glTF 2.0, 3.6.2.2. */
export const componentsOf = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT2: 4, MAT3: 9, MAT4: 16 } as const;

/** Bytes of a component by component type: glTF 2.0, 3.6.2.2. */
export const bytesOf: Readonly<Record<number, number>> = { 5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4 };

const componentType = z.union([5120, 5121, 5122, 5123, 5125, 5126].map((value) => z.literal(value)));

/** A range of a buffer that EXT_meshopt_compression holds in place of the buffer view's own. */
const compressedView = z.looseObject({
  buffer: index,
  byteOffset: bytes.default(0),
  byteLength: bytes,
  byteStride: z.int().min(1).max(256),
  count: index,
  mode: z.enum(['ATTRIBUTES', 'TRIANGLES', 'INDICES']),
  filter: z.enum(['NONE', 'OCTAHEDRAL', 'QUATERNION', 'EXPONENTIAL', 'COLOR']).optional(),
});

/** Where KHR_draco_mesh_compression holds a mesh part. */
const compressedPart = z.looseObject({ bufferView: index, attributes: z.record(z.string(), index) });

/** What every object of a glTF may have. */
const common = { name: z.string().optional(), extensions: z.record(z.string(), z.looseObject({})).optional() };
const object = z.looseObject(common);

const textureInfo = z.looseObject({ ...common, index, texCoord: index.optional() });

const material = z.looseObject({
  ...common,
  pbrMetallicRoughness: z
    .looseObject({
      ...common,
      baseColorTexture: textureInfo.optional(),
      metallicRoughnessTexture: textureInfo.optional(),
      metallicFactor: z.number().optional(),
      roughnessFactor: z.number().optional(),
    })
    .optional(),
  normalTexture: textureInfo.extend({ scale: z.number().optional() }).optional(),
  occlusionTexture: textureInfo.extend({ strength: z.number().optional() }).optional(),
  emissiveTexture: textureInfo.optional(),
});

/** What is relied upon in a glTF 2.0 file; everything else of it is left to the library that reads it. */
const gltf = z.looseObject({
  asset: z.looseObject({
    version: z.string(),
    minVersion: z.string().optional(),
    generator: z.string().optional(),
  }),
  extensionsUsed: list(z.string()),
  extensionsRequired: list(z.string()),
  scene: index.optional(),
  scenes: list(z.looseObject({ ...common, nodes: list(index) })),
  nodes: list(
    z.looseObject({
      ...common,
      children: list(index),
      mesh: index.optional(),
      skin: index.optional(),
      camera: index.optional(),
      translation: numbers(3),
      rotation: numbers(4),
      scale: numbers(3),
      matrix: numbers(16),
    }),
  ),
  buffers: list(z.looseObject({ ...common, uri: z.string().optional(), byteLength: bytes })),
  bufferViews: list(
    z.looseObject({
      ...common,
      buffer: index,
      byteOffset: bytes.default(0),
      byteLength: bytes,
      byteStride: z.int().min(1).max(256).optional(),
      extensions: z.looseObject({ EXT_meshopt_compression: compressedView.optional() }).optional(),
    }),
  ),
  accessors: list(
    z.looseObject({
      ...common,
      bufferView: index.optional(),
      byteOffset: bytes.default(0),
      componentType,
      count: index,
      type: z.enum(['SCALAR', 'VEC2', 'VEC3', 'VEC4', 'MAT2', 'MAT3', 'MAT4']),
      sparse: z
        .looseObject({
          count: index,
          indices: z.looseObject({ bufferView: index, byteOffset: bytes.default(0), componentType }),
          values: z.looseObject({ bufferView: index, byteOffset: bytes.default(0) }),
        })
        .optional(),
    }),
  ),
  images: list(z.looseObject({ ...common, uri: z.string().optional(), bufferView: index.optional() })),
  samplers: list(object),
  textures: list(z.looseObject({ ...common, sampler: index.optional(), source: index.optional() })),
  materials: list(material),
  meshes: list(
    z.looseObject({
      ...common,
      primitives: z.array(
        z.looseObject({
          ...common,
          extensions: z.looseObject({ KHR_draco_mesh_compression: compressedPart.optional() }).optional(),
          attributes: z.record(z.string(), index),
          indices: index.optional(),
          material: index.optional(),
          mode: z.int().min(0).max(6).optional(),
          targets: list(z.record(z.string(), index)),
        }),
      ),
    }),
  ),
  skins: list(
    z.looseObject({
      ...common,
      joints: z.array(index),
      inverseBindMatrices: index.optional(),
      skeleton: index.optional(),
    }),
  ),
  cameras: list(object),
  animations: list(
    z.looseObject({
      ...common,
      channels: z.array(
        z.looseObject({ sampler: index, target: z.looseObject({ node: index.optional(), path: z.string() }) }),
      ),
      samplers: z.array(z.looseObject({ input: index, output: index })),
    }),
  ),
});

/** The JSON of a glTF 2.0 file, its shape checked and its lists present; what refers to what is not checked yet. */
export type Gltf = z.output<typeof gltf>;

/**
 * Parses the JSON of a glTF file, what small faults it has mended.
 * @throws ConversionError `input_refused` naming what is wrong, or the version that cannot be read
 */
export function parseGltf(text: string): { readonly gltf: Gltf; readonly warnings: ConversionWarning[] } {
  const json = parseJson(text);
  checkVersion(json);
  const warnings = mendValues(json);
  const parsed = gltf.safeParse(json);
  if (!parsed.success) throw refused(parsed.error);
  return { gltf: parsed.data, warnings };
}

/** The versions before 1.0 wrote theirs as a number. */
const versioned = z.object({
  asset: z.object({ version: z.union([z.string(), z.number()]), minVersion: z.string().optional() }),
});

/** Another version has another shape, of which nothing need be said but its version. */
function checkVersion(json: unknown): void {
  const parsed = versioned.safeParse(json);
  if (!parsed.success) return;
  const { version, minVersion } = parsed.data.asset;
  // glTF 2.0, 3.2: any 2.x can be read unless the file says that it needs a later one.
  if (/^2(\.\d+)*$/.test(String(version)) && (minVersion === undefined || minVersion === '2.0')) return;
  throw new ConversionError('input_refused', `The model is glTF ${minVersion ?? version}; only glTF 2.0 can be read.`);
}

/** Deeper nesting overflows the stack of what copies and writes JSON. */
const MAX_JSON_DEPTH = 500;

function parseJson(text: string): unknown {
  if (isDeeperThan(MAX_JSON_DEPTH, text)) {
    const message = `The JSON of the model is nested deeper than ${MAX_JSON_DEPTH} levels. Export it again.`;
    throw new ConversionError('limit', message);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConversionError('input_refused', `The JSON of the model cannot be read: ${why}.`, { cause: error });
  }
}

function isDeeperThan(limit: number, text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > limit) return true;
  }
  return false;
}

/** Where the string ends that begins at `start`: at the first quote with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let first = quote;
    while (text[first - 1] === '\\') first -= 1;
    if ((quote - first) % 2 === 0) return quote;
  }
  return text.length;
}

function refused(error: z.ZodError): ConversionError {
  const [first] = error.issues;
  const path = first?.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('') ?? '';
  const what = first?.message.replace(/^Invalid input: expected (.*), received undefined$/, 'is missing, expected $1');
  const message = `The JSON of the model is no glTF 2.0: ${path.replace(/^\./, '') || 'the whole'}: ${what}.`;
  return new ConversionError('input_refused', message, { cause: error });
}
