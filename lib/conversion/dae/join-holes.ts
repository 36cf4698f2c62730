import type { CoordinateOf } from './dae-corners.ts';

type Point = readonly [x: number, y: number];
type Place = (corner: number) => Point;

/** Comparisons that the holes of a polygon are worth; those left are joined anywhere. */
const WORTH = 2_000_000;

/**
 * Makes one outline of a polygon with holes: each hole is joined to the outline by a cut, along which the outline runs twice.
 * @param at a coordinate of a corner
 */
export function joinHoles(outline: readonly number[], holes: readonly number[][], at: CoordinateOf): number[] {
  const place = planeOf(outline, at);
  const isForward = areaOf(outline, place) > 0;
  const left = holes
    .filter((hole) => hole.length >= 3)
    .map((hole) => (areaOf(hole, place) > 0 === isForward ? hole.toReversed() : hole));
  let ring = [...outline];
  let worth = WORTH;
  while (left.length > 0) {
    worth -= ring.length * left.reduce((sum, hole) => sum + hole.length, 0);
    const bridge = worth > 0 ? findBridge(ring, left, place) : undefined;
    if (bridge === undefined) break;
    const { corner, into, number } = bridge;
    ring = [...ring.slice(0, corner + 1), ...around(left[number] ?? [], into), ...ring.slice(corner)];
    left.splice(number, 1);
  }
  const start = ring.slice(0, 1);
  return [...left.flatMap((hole) => [...start, ...around(hole, 0)]), ...ring];
}

function around(hole: readonly number[], into: number): number[] {
  return [...hole.slice(into), ...hole.slice(0, into), ...hole.slice(into, into + 1)];
}

/** From a corner of the outline, by its place there, to one of a hole. */
interface Bridge {
  readonly corner: number;
  /** The hole, and the place of its corner there. */
  readonly number: number;
  readonly into: number;
}

/** Bridges that are tried, the shortest first. */
const MOST_TRIED = 100;

/** The shortest bridge that crosses no edge. */
function findBridge(ring: readonly number[], holes: readonly number[][], place: Place): Bridge | undefined {
  const edges = [ring, ...holes].flatMap((corners) =>
    corners.map((corner, i) => [place(corner), place(corners[(i + 1) % corners.length] ?? 0)] as const),
  );
  const bridges = holes.flatMap((hole, number) => shortest(ring, hole, place).map((bridge) => ({ ...bridge, number })));
  bridges.sort((a, b) => a.distance - b.distance);
  const tried = bridges.slice(0, MOST_TRIED);
  const isFree = ({ corner, number, into }: Bridge) => {
    const [from, to] = [place(ring[corner] ?? 0), place(holes[number]?.[into] ?? 0)];
    return !edges.some(([a, b]) => crosses(from, to, a, b));
  };
  return tried.find(isFree) ?? tried[0];
}

/** Onto the plane of two axes that a polygon faces most. */
function planeOf(outline: readonly number[], at: CoordinateOf): Place {
  const planes = [
    [1, 2],
    [2, 0],
    [0, 1],
  ] as const;
  const places = planes.map(
    ([u, v]) =>
      (corner: number): Point => [at(corner, u), at(corner, v)],
  );
  const sizes = places.map((place) => Math.abs(areaOf(outline, place)));
  return places[sizes.indexOf(Math.max(...sizes))] ?? ((corner) => [at(corner, 0), at(corner, 1)]);
}

function areaOf(corners: readonly number[], place: Place): number {
  let area = 0;
  const [ox, oy] = place(corners[0] ?? 0);
  for (const [i, corner] of corners.entries()) {
    const [ax, ay] = place(corner);
    const [bx, by] = place(corners[(i + 1) % corners.length] ?? 0);
    area += (ax - ox) * (by - oy) - (bx - ox) * (ay - oy);
  }
  return area;
}

/** From each corner of the outline to the nearest of a hole. */
function shortest(ring: readonly number[], hole: readonly number[], place: Place) {
  const places = hole.map(place);
  return ring.map((number, corner) => {
    const [x, y] = place(number);
    let into = 0;
    let distance = Number.POSITIVE_INFINITY;
    for (const [i, [ox, oy]] of places.entries()) {
      const between = (ox - x) ** 2 + (oy - y) ** 2;
      if (between < distance) [into, distance] = [i, between];
    }
    return { corner, into, distance };
  });
}

/** True where two lines cross within both; those that only meet at their ends do not. */
function crosses(a: Point, b: Point, c: Point, d: Point): boolean {
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

function side([ax, ay]: Point, [bx, by]: Point, [px, py]: Point): number {
  return Math.sign((bx - ax) * (py - ay) - (by - ay) * (px - ax));
}
