import { GrowingArray } from '../geometry/growing-array.ts';
import { triangulate } from '../geometry/triangulate.ts';
import type { DaeElement } from './dae-element.ts';
import { joinHoles } from './join-holes.ts';

/** What each corner of some triangles or lines refers to. */
export interface DaeCorners {
  readonly kind: 'triangles' | 'lines';
  /** Some indices for each corner as it is written: `width` numbers each, one for every source. */
  readonly indices: ArrayLike<number>;
  readonly width: number;
  /** The written corner of each corner of the triangles or lines. */
  readonly corners: Uint32Array;
}

/** A coordinate of the vertex of a written corner. */
export type CoordinateOf = (corner: number, axis: number) => number;

/** The elements that have a shape. */
export const primitiveNames: readonly string[] = [
  ...['triangles', 'polylist', 'polygons', 'tristrips', 'trifans', 'lines', 'linestrips'],
];

/**
 * Cuts what an element shows into triangles or lines.
 * @param width numbers of each corner
 * @param coordinates makes what tells where a corner lies, of the indices
 * @throws ConversionError `input_refused` for lists that end within a corner or a polygon
 */
export function readCorners(
  element: DaeElement,
  width: number,
  coordinates: (indices: ArrayLike<number>) => CoordinateOf,
): DaeCorners {
  const { indices, runs } = readRuns(element, width);
  const corners = new GrowingArray((length) => new Uint32Array(length), 64);
  const cut: Cut = { element, runs, at: coordinates(indices), push: (corner) => corners.push(corner) };
  cutters[element.name]?.(cut);
  const kind = element.name === 'lines' || element.name === 'linestrips' ? 'lines' : 'triangles';
  return { kind, indices, width, corners: corners.values };
}

/** Corners of one list: from the first up to, and without, the last. */
interface Run {
  readonly from: number;
  readonly to: number;
  /** Whether it is cut out of the run before. */
  readonly isHole: boolean;
}

interface Cut {
  readonly element: DaeElement;
  readonly runs: readonly Run[];
  readonly at: CoordinateOf;
  readonly push: (corner: number) => void;
}

function readRuns(element: DaeElement, width: number): { indices: ArrayLike<number>; runs: readonly Run[] } {
  const lists = listsOf(element);
  const runs: Run[] = [];
  let total = 0;
  for (const { list, name } of lists) {
    let from = total;
    for (const end of list?.ends ?? []) {
      const to = total + end;
      if ((to - from) % width !== 0) {
        throw element.refuse(`has a list of ${to - from} indices, of which each corner takes ${width}.`);
      }
      if (to > from) runs.push({ from: from / width, to: to / width, isHole: name === 'h' });
      from = to;
    }
    total += list?.length ?? 0;
  }
  return { indices: joined(lists, total), runs };
}

function listsOf(element: DaeElement): DaeElement[] {
  return element.children.flatMap((child) => {
    if (child.name === 'ph') return child.all('p', 'h');
    return child.name === 'p' ? [child] : [];
  });
}

function joined(lists: readonly DaeElement[], total: number): ArrayLike<number> {
  const [only, ...others] = lists;
  if (only?.list !== undefined && others.length === 0) return only.list.values;
  const indices = new Int32Array(total);
  let at = 0;
  for (const { list } of lists) {
    indices.set(list?.values ?? [], at);
    at += list?.length ?? 0;
  }
  return indices;
}

const cutters: Readonly<Record<string, (cut: Cut) => void>> = {
  triangles: (cut) => pushWhole(cut, 3),
  lines: (cut) => pushWhole(cut, 2),
  linestrips: ({ runs, push }) => {
    for (const { from, to } of runs) {
      for (let corner = from; corner + 1 < to; corner += 1) {
        push(corner);
        push(corner + 1);
      }
    }
  },
  tristrips: (cut) => {
    for (const { from, to } of cut.runs) {
      for (let i = 0; from + i + 2 < to; i += 1) {
        const corner = from + i;
        if (i % 2 === 0) pushTriangle(cut, corner, corner + 1, corner + 2);
        else pushTriangle(cut, corner + 1, corner, corner + 2);
      }
    }
  },
  trifans: (cut) => {
    for (const { from, to } of cut.runs) {
      for (let corner = from + 1; corner + 1 < to; corner += 1) pushTriangle(cut, from, corner, corner + 1);
    }
  },
  polylist: cutPolylist,
  polygons: cutPolygons,
};

function pushWhole({ runs, push }: Cut, size: number): void {
  for (const { from, to } of runs) {
    const end = to - ((to - from) % size);
    for (let corner = from; corner < end; corner += 1) push(corner);
  }
}

/** Strips are sewn together by triangles without an area. */
function pushTriangle({ at, push }: Cut, a: number, b: number, c: number): void {
  const isSame = (p: number, q: number) => [0, 1, 2].every((axis) => at(p, axis) === at(q, axis));
  if (isSame(a, b) || isSame(b, c) || isSame(c, a)) return;
  for (const corner of [a, b, c]) push(corner);
}

function cutPolylist({ element, runs, at, push }: Cut): void {
  const counts = element.child('vcount')?.list?.values ?? [];
  const last = runs.at(-1)?.to ?? 0;
  let from = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const count = counts[i] ?? 0;
    if (count < 0 || from + count > last) {
      throw element.refuse(`has polygons of more corners than the ${last} that are in its list.`);
    }
    const first = from;
    triangulate(
      count,
      (corner, axis) => at(first + corner, axis),
      (a, b, c) => {
        push(first + a);
        push(first + b);
        push(first + c);
      },
    );
    from += count;
  }
  if (from < last) throw element.refuse(`has ${last} corners in its list, of which its polygons take ${from}.`);
}

function cutPolygons({ runs, at, push }: Cut): void {
  for (let i = 0; i < runs.length; ) {
    const outline = range(runs[i]);
    const holes: number[][] = [];
    for (i += 1; runs[i]?.isHole === true; i += 1) holes.push(range(runs[i]));
    const ring = holes.length === 0 ? outline : joinHoles(outline, holes, at);
    triangulate(
      ring.length,
      (corner, axis) => at(ring[corner] ?? 0, axis),
      (...triangle) => {
        for (const corner of triangle) push(ring[corner] ?? 0);
      },
    );
  }
}

function range(run: Run | undefined): number[] {
  return run === undefined ? [] : Array.from({ length: run.to - run.from }, (_, i) => run.from + i);
}
