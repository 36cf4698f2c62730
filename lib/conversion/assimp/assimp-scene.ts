import type { Document, Primitive } from '@gltf-transform/core';
import { z } from 'zod';
import { parseAssimpJson } from './assimp-json.ts';

const bone = z.object({
  name: z.string(),
  /** Row by row. */
  offsetmatrix: z.array(z.number()).length(16),
  /** Vertex and weight. */
  weights: z.array(z.tuple([z.number(), z.number()])),
});
const mesh = z.object({
  bones: z.array(bone).optional(),
  /** Vertices of each point, line or triangle. */
  faces: z.array(z.array(z.number())).optional(),
});
const sceneJson = z.object({ meshes: z.array(mesh).optional() });

/** A bone of a mesh of the library's own scene. */
export type AssimpBone = z.output<typeof bone>;

/** The meshes of the library's own scene, which are the parts of the document that it writes, in their order. */
export function assimpMeshes(assjson: Uint8Array): z.output<typeof mesh>[] {
  return sceneJson.parse(parseAssimpJson<unknown>(assjson)).meshes ?? [];
}

/** The library writes the attributes of its meshes one mesh after the other, and may then put several of them into one. */
export function partsInOrder(document: Document): Primitive[] {
  const accessors = new Map(
    document
      .getRoot()
      .listAccessors()
      .map((accessor, i) => [accessor, i]),
  );
  const order = (part: Primitive) => {
    const position = part.getAttribute('POSITION');
    return position === null ? 0 : (accessors.get(position) ?? 0);
  };
  const parts = document
    .getRoot()
    .listMeshes()
    .flatMap((mesh) => mesh.listPrimitives());
  return parts.sort((a, b) => order(a) - order(b));
}
