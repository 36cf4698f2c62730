import type { DaeElement } from './dae-element.ts';
import { component, type DaeSource, inputSource, readNames, readSource } from './dae-source.ts';

/** How the numbers that an animation moves change over time. */
export interface Curve {
  /** Seconds, ascending. */
  readonly times: Float64Array;
  /** Numbers of each key. */
  readonly size: number;
  readonly values: DaeSource;
  readonly steps: readonly string[];
  readonly incoming: DaeSource | undefined;
  readonly outgoing: DaeSource | undefined;
}

/** Undefined for a sampler without keys. Keys that go back in time are left out. */
export function readCurve(sampler: DaeElement): Curve | undefined {
  const [input, output] = [inputSource(sampler, 'INPUT'), inputSource(sampler, 'OUTPUT')];
  if (input === undefined || output === undefined) return undefined;
  const times = readSource(input, 1);
  const values = readSource(output, 1);
  const count = countOfKeys(times, values);
  if (count === 0) return undefined;
  const tangents = (semantic: string) => {
    const source = inputSource(sampler, semantic);
    const read = source && readSource(source, 2);
    return read !== undefined && read.count >= count ? read : undefined;
  };
  return {
    times: Float64Array.from({ length: count }, (_, i) => component(times, i, 0)),
    size: values.components.length,
    values,
    steps: readNames(inputSource(sampler, 'INTERPOLATION')),
    incoming: tangents('IN_TANGENT'),
    outgoing: tangents('OUT_TANGENT'),
  };
}

function countOfKeys(times: DaeSource, values: DaeSource): number {
  const most = Math.min(times.count, values.count);
  let count = 0;
  while (count < most) {
    const time = component(times, count, 0);
    const before = count === 0 ? Number.NEGATIVE_INFINITY : component(times, count - 1, 0);
    if (!Number.isFinite(time) || time < before) break;
    count += 1;
  }
  return count;
}

/** Which key a time lies behind; -1 before the first. */
export function keyBefore(times: Float64Array, time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How a curve goes on from a key. */
export function stepAt({ steps }: Curve, key: number): string {
  return steps[key] ?? steps.at(-1) ?? 'LINEAR';
}

/** One of the numbers at a time. */
export function valueAt(curve: Curve, which: number, time: number): number {
  const { times, values } = curve;
  const key = Math.min(Math.max(0, keyBefore(times, time)), times.length - 1);
  const from = component(values, key, which);
  const [start = 0, end] = [times[key], times[key + 1]];
  if (time <= start || end === undefined || end <= start) return from;
  const to = component(values, key + 1, which);
  const part = (time - start) / (end - start);
  const step = stepAt(curve, key);
  if (step === 'STEP') return from;
  if (step === 'BEZIER') return bezier(curve, key, which, time);
  if (step === 'HERMITE') return hermite(curve, key, which, part);
  return from + (to - from) * part;
}

/** The control points of a piece: a time and a value, or the value alone, which is then meant at a third of the way. */
function control(tangents: DaeSource | undefined, size: number, key: number, which: number, otherwise: Point): Point {
  if (tangents === undefined) return otherwise;
  const numbers = tangents.components.length;
  if (numbers === 2 * size) return [component(tangents, key, 2 * which), component(tangents, key, 2 * which + 1)];
  if (numbers === size + 1) return [component(tangents, key, 0), component(tangents, key, which + 1)];
  return numbers === size ? [otherwise[0], component(tangents, key, which)] : otherwise;
}

type Point = readonly [time: number, value: number];

function bezier(curve: Curve, key: number, which: number, time: number): number {
  const { times, values, size, incoming, outgoing } = curve;
  const [start, end] = [times[key] ?? 0, times[key + 1] ?? 0];
  const [from, to] = [component(values, key, which), component(values, key + 1, which)];
  const third = (end - start) / 3;
  const [x1, y1] = control(outgoing, size, key, which, [start + third, from + (to - from) / 3]);
  const [x2, y2] = control(incoming, size, key + 1, which, [end - third, to - (to - from) / 3]);
  // Curves that turn back in time cannot be followed; their times are held within the piece.
  const [c1, c2] = [Math.min(end, Math.max(start, x1)), Math.min(end, Math.max(start, x2))];
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i += 1) {
    const middle = (low + high) / 2;
    if (cubic(start, c1, c2, end, middle) < time) low = middle;
    else high = middle;
  }
  return cubic(from, y1, y2, to, (low + high) / 2);
}

function cubic(a: number, b: number, c: number, d: number, s: number): number {
  const r = 1 - s;
  return r * r * r * a + 3 * r * r * s * b + 3 * r * s * s * c + s * s * s * d;
}

function hermite(curve: Curve, key: number, which: number, s: number): number {
  const { values, size, incoming, outgoing } = curve;
  const [from, to] = [component(values, key, which), component(values, key + 1, which)];
  const [, leave] = control(outgoing, size, key, which, [0, to - from]);
  const [, arrive] = control(incoming, size, key + 1, which, [0, to - from]);
  return cubic(from, from + leave / 3, to - arrive / 3, to, s);
}
