import type { mat4, vec4 } from '@gltf-transform/core';

export function identity(): mat4 {
  return [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
}

/** The transformation of the second matrix, followed by that of the first. */
export function multiply(a: mat4, b: mat4): mat4 {
  const product = identity();
  for (let column = 0; column < 4; column += 1) {
    for (let row = 0; row < 4; row += 1) {
      let sum = 0;
      for (let i = 0; i < 4; i += 1) sum += (a[4 * i + row] ?? 0) * (b[4 * column + i] ?? 0);
      product[4 * column + row] = sum;
    }
  }
  return product;
}

/** The turn of the second quaternion, followed by that of the first. */
export function multiplyTurns([ax, ay, az, aw]: vec4, [bx, by, bz, bw]: vec4): vec4 {
  return [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
}

/** A turn around an axis of any length, and none around one without a length. */
export function turnAround([x, y, z]: readonly [number, number, number], radians: number): vec4 {
  const length = Math.hypot(x, y, z);
  if (!(length > 0) || !Number.isFinite(radians)) return [0, 0, 0, 1];
  const sine = Math.sin(radians / 2) / length;
  return [x * sine, y * sine, z * sine, Math.cos(radians / 2)];
}
