/** A header, then the number of triangles. */
export const COUNT_AT = 80;
export const TRIANGLES_AT = 84;
/** A normal and three corners of three 32 bit numbers each, then two bytes of attributes. */
export const TRIANGLE_BYTES = 50;

const LONGEST_NORMAL = 1.01;

/**
 * True for a binary file: its size says so, or its first triangles have numbers where they must be. The first word does not tell: programs
 * begin their headers with `solid` too.
 * @param head the first bytes of the file
 */
export function looksBinary(head: Uint8Array, size: number): boolean {
  if (head.length < TRIANGLES_AT) return false;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (size === TRIANGLES_AT + TRIANGLE_BYTES * view.getUint32(COUNT_AT, true)) return true;
  const shown = Math.floor((head.length - TRIANGLES_AT) / TRIANGLE_BYTES);
  for (let i = 0; i < shown; i += 1) if (!isTriangle(view, TRIANGLES_AT + TRIANGLE_BYTES * i)) return false;
  return shown > 0 && isNotText(head);
}

function isTriangle(view: DataView, at: number): boolean {
  const numbers = Array.from({ length: 12 }, (_, i) => view.getFloat32(at + 4 * i, true));
  const [x = 0, y = 0, z = 0] = numbers;
  // Numbers of a size that nobody measures are other bytes.
  const areLikely = numbers.every((number) => number === 0 || (Math.abs(number) > 1e-30 && Math.abs(number) < 1e12));
  return areLikely && Math.hypot(x, y, z) < LONGEST_NORMAL && numbers.some((number) => number !== 0);
}

function isNotText(head: Uint8Array): boolean {
  return head.subarray(COUNT_AT).some((byte) => byte < 9);
}
