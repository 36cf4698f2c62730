/** A normal for each vertex: the mean of those of its triangles, by their area. Zero for a vertex of none. */
export function smoothNormals(positions: Float32Array, triangles: Uint32Array): Float32Array<ArrayBuffer> {
  const normals = new Float32Array(positions.length);
  const at = (index: number) => positions[index] ?? 0;
  for (let i = 0; i + 2 < triangles.length; i += 3) {
    const [a, b, c] = [3 * (triangles[i] ?? 0), 3 * (triangles[i + 1] ?? 0), 3 * (triangles[i + 2] ?? 0)];
    const [ux, uy, uz] = [at(b) - at(a), at(b + 1) - at(a + 1), at(b + 2) - at(a + 2)];
    const [vx, vy, vz] = [at(c) - at(a), at(c + 1) - at(a + 1), at(c + 2) - at(a + 2)];
    const [x, y, z] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx];
    for (const corner of [a, b, c]) {
      normals[corner] = (normals[corner] ?? 0) + x;
      normals[corner + 1] = (normals[corner + 1] ?? 0) + y;
      normals[corner + 2] = (normals[corner + 2] ?? 0) + z;
    }
  }
  for (let i = 0; i < normals.length; i += 3) {
    const [x = 0, y = 0, z = 0] = [normals[i], normals[i + 1], normals[i + 2]];
    const length = Math.hypot(x, y, z) || 1;
    normals[i] = x / length;
    normals[i + 1] = y / length;
    normals[i + 2] = z / length;
  }
  return normals;
}
