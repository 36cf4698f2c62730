import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import type { BulkConverter } from '../bulk-converter.ts';
import { TEST_MODELS } from '../test-models.ts';

/** Every file of the package, by its path there. */
export async function listTestModels(): Promise<string[]> {
  const entries = await readdir(TEST_MODELS, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((path) => relative(TEST_MODELS, path)).sort();
}

/** What comes of a model, in the terms of what is expected. */
export type Observed =
  | {
      readonly triangles: number;
      readonly vertices: number;
      readonly materials: number;
      readonly animations: number;
      readonly warnings: string[];
    }
  | { readonly fails: string; readonly message: string };

export async function observe(converter: BulkConverter, path: string): Promise<Observed> {
  const result = await converter.convertPath(join(TEST_MODELS, path));
  if (result.status === 'hung' || result.status === 'crashed')
    return { fails: result.status, message: result.evidence };
  if (result.status === 'failed') return { fails: result.error.code, message: result.error.message };
  const { triangles, vertices, materials } = result.summary.input;
  const warnings = [...new Set(result.warnings.map(({ code }) => code))].sort();
  const { animations } = jsonOf(await readFile(result.asset.path));
  return { triangles, vertices, materials, animations: animations.length, warnings };
}

const gltf = z.object({ animations: z.array(z.unknown()).default([]) });

function jsonOf(glb: Buffer): z.output<typeof gltf> {
  return gltf.parse(JSON.parse(glb.toString('utf8', 20, 20 + glb.readUInt32LE(12))));
}
