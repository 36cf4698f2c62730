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
const key = z.tuple([z.number()]).rest(z.unknown());
const channel = z.object({
  name: z.string(),
  positionkeys: z.array(key).optional(),
  rotationkeys: z.array(key).optional(),
  scalingkeys: z.array(key).optional(),
});
const sceneJson = z.object({
  /** The parts of the document that the library writes, in their order. */
  meshes: z.array(mesh).default([]),
  animations: z.array(z.object({ channels: z.array(channel) })).default([]),
});

/** What the library's own scene says of what it writes wrongly. */
export type AssimpScene = z.output<typeof sceneJson>;
export type AssimpChannel = z.output<typeof channel>;

/** A bone of a mesh of the library's own scene. */
export type AssimpBone = z.output<typeof bone>;

export function parseAssimpScene(assjson: Uint8Array): AssimpScene {
  return sceneJson.parse(parseAssimpJson<unknown>(assjson));
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
