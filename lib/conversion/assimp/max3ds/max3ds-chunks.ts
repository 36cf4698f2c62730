/** Numbers of chunks of a 3D Studio file. */
export const MAIN = 0x4d4d;
export const EDITOR = 0x3d3d;
export const KEYFRAMER = 0xb000;

/** True for a chunk that says how an object, a camera or a light moves. */
export function isNodeChunk(id: number): boolean {
  return id >= 0xb001 && id <= 0xb007;
}
