type Emit = (a: number, b: number, c: number) => void;

/** Comparisons that a polygon of so many corners is worth; what is left of one that needs more is cut like a fan. */
const WORTH = 2_000_000;

/**
 * Cuts a polygon into triangles: as a fan where it is convex, else ear by ear. What crosses itself is cut too, in some way.
 * @param count of corners
 * @param at a coordinate of a corner
 * @param emit receives the numbers of the corners of each of `count - 2` triangles
 */
export function triangulate(count: number, at: (corner: number, axis: number) => number, emit: Emit): void {
  if (count < 3) return;
  const points = count === 3 ? undefined : project(count, at);
  if (points === undefined || isConvex(points))
    fan(
      Array.from({ length: count }, (_, i) => i),
      emit,
    );
  else clipEars(points, emit);
}

interface Points {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Onto the plane of two axes that the polygon faces most, counter-clockwise; undefined for one without an area. */
function project(count: number, at: (corner: number, axis: number) => number): Points | undefined {
  // Newell's normal: the areas of the polygon's shadows.
  const areas = [0, 1, 2].map((axis) => shadow(count, at, (axis + 1) % 3, (axis + 2) % 3));
  const facing = areas.reduce((best, area, i) => (Math.abs(area) > Math.abs(areas[best] ?? 0) ? i : best), 0);
  const area = areas[facing] ?? 0;
  if (area === 0 || !Number.isFinite(area)) return undefined;
  const [u, v] = area > 0 ? [(facing + 1) % 3, (facing + 2) % 3] : [(facing + 2) % 3, (facing + 1) % 3];
  const along = (axis: number) => Float64Array.from({ length: count }, (_, i) => at(i, axis));
  return { x: along(u), y: along(v) };
}

function shadow(count: number, at: (corner: number, axis: number) => number, u: number, v: number): number {
  const [u0, v0] = [at(0, u), at(0, v)];
  let area = 0;
  for (let i = 1; i + 1 < count; i += 1) {
    area += (at(i, u) - u0) * (at(i + 1, v) - v0) - (at(i + 1, u) - u0) * (at(i, v) - v0);
  }
  return area;
}

/** Twice the signed area of a triangle, positive where it runs counter-clockwise. */
function cross({ x, y }: Points, a: number, b: number, c: number): number {
  const [ax, ay] = [x[a] ?? 0, y[a] ?? 0];
  return ((x[b] ?? 0) - ax) * ((y[c] ?? 0) - ay) - ((x[c] ?? 0) - ax) * ((y[b] ?? 0) - ay);
}

function isConvex(points: Points): boolean {
  const count = points.x.length;
  for (let i = 0; i < count; i += 1) {
    if (cross(points, i, (i + 1) % count, (i + 2) % count) < 0) return false;
    // A star turns one way at every corner too, yet its fan does not.
    if (i > 1 && cross(points, 0, i - 1, i) < 0) return false;
  }
  return true;
}

function fan(corners: readonly number[], emit: Emit): void {
  const [first = 0] = corners;
  for (let i = 2; i < corners.length; i += 1) emit(first, corners[i - 1] ?? 0, corners[i] ?? 0);
}

function clipEars(points: Points, emit: Emit): void {
  const left = Array.from(points.x.keys());
  let worth = WORTH;
  let at = 0;
  let tried = 0;
  while (left.length > 3 && tried < left.length && worth > 0) {
    const count = left.length;
    const [a, b, c] = [left[(at + count - 1) % count] ?? 0, left[at % count] ?? 0, left[(at + 1) % count] ?? 0];
    worth -= count;
    if (isEar(points, left, a, b, c)) {
      emit(a, b, c);
      left.splice(at % count, 1);
      tried = 0;
    } else {
      tried += 1;
      at += 1;
    }
    at %= left.length;
  }
  fan(left, emit);
}

function isEar(points: Points, left: readonly number[], a: number, b: number, c: number): boolean {
  if (cross(points, a, b, c) <= 0) return false;
  return !left.some((corner) => corner !== a && corner !== b && corner !== c && isWithin(points, corner, a, b, c));
}

function isWithin(points: Points, corner: number, a: number, b: number, c: number): boolean {
  // Polygons with holes come back to corners that they have been at.
  if (isSame(points, corner, a) || isSame(points, corner, b) || isSame(points, corner, c)) return false;
  const inside = cross(points, a, b, corner) >= 0 && cross(points, b, c, corner) >= 0;
  return inside && cross(points, c, a, corner) >= 0;
}

function isSame({ x, y }: Points, a: number, b: number): boolean {
  return x[a] === x[b] && y[a] === y[b];
}
