import type { vec3 } from '@gltf-transform/core';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import { refused } from '../reading/refused.ts';
import type { XmlAttributes } from '../reading/xml.ts';
import { numberOfGroup, type ThreemfObject } from './threemf-model.ts';
import { numberOf } from './xml-values.ts';

interface Beam {
  readonly vertices: readonly [number, number];
  readonly radii: readonly [number, number];
  /** False for an end that is flat. */
  readonly isRound: readonly [boolean, boolean];
  readonly group: string | undefined;
  readonly places: readonly [number, number] | undefined;
}

/** How beams are made the coarser, the more there are: corners of their round, and whether their round ends are curved. */
const fineness: readonly { readonly upTo: number; readonly sides: number; readonly isCurved: boolean }[] = [
  { upTo: 2_000, sides: 12, isCurved: true },
  { upTo: 20_000, sides: 8, isCurved: true },
  { upTo: 100_000, sides: 6, isCurved: false },
  { upTo: Number.POSITIVE_INFINITY, sides: 4, isCurved: false },
];

/** Beams and balls between a mesh's vertices: the beam lattice extension 1.2. */
export class BeamLattice {
  readonly isClipped: boolean;
  readonly #radius: number;
  readonly #shortest: number;
  readonly #isRound: boolean;
  readonly #group: string | undefined;
  readonly #place: number | undefined;
  readonly #representation: string | undefined;
  readonly #ballMode: string;
  readonly #ballRadius: number;
  readonly #beams: Beam[] = [];
  readonly #balls = new Map<number, number>();

  constructor(attributes: XmlAttributes) {
    const clipping = attributes.get('clippingmode') ?? attributes.get('clipping') ?? 'none';
    this.isClipped = clipping !== 'none';
    this.#radius = numberOf(attributes, 'radius') ?? 0;
    this.#shortest = numberOf(attributes, 'minlength') ?? numberOf(attributes, 'precision') ?? 0;
    this.#isRound = attributes.get('cap') !== 'butt';
    this.#group = attributes.get('pid');
    this.#place = numberOf(attributes, 'pindex');
    this.#representation = attributes.get('representationmesh');
    this.#ballMode = attributes.get('ballmode') ?? 'none';
    this.#ballRadius = numberOf(attributes, 'ballradius') ?? 0;
  }

  addBeam(attributes: XmlAttributes): void {
    const r1 = numberOf(attributes, 'r1') ?? this.#radius;
    const p1 = numberOf(attributes, 'p1') ?? this.#place;
    const isRound = (name: string) => {
      const cap = attributes.get(name);
      return cap === undefined ? this.#isRound : cap !== 'butt';
    };
    this.#beams.push({
      vertices: [numberOf(attributes, 'v1') ?? -1, numberOf(attributes, 'v2') ?? -1],
      radii: [r1, numberOf(attributes, 'r2') ?? r1],
      isRound: [isRound('cap1'), isRound('cap2')],
      group: attributes.get('pid') ?? this.#group,
      places: p1 === undefined ? undefined : [p1, numberOf(attributes, 'p2') ?? p1],
    });
  }

  addBall(attributes: XmlAttributes): void {
    this.#balls.set(numberOf(attributes, 'vindex') ?? -1, numberOf(attributes, 'r') ?? this.#ballRadius);
  }

  /**
   * Adds to an object the triangles of its beams and balls, or the mesh that stands for them.
   * @throws ConversionError `input_refused` for a vertex that is not there, `limit`
   */
  buildInto(object: ThreemfObject, limits: WorkLimits): void {
    if (this.#representation !== undefined) {
      object.components.push({ object: this.#representation, path: undefined, transform: undefined });
      return;
    }
    const count = object.vertices.length / 3;
    const pointAt = (vertex: number): vec3 => {
      if (!Number.isInteger(vertex) || vertex < 0 || vertex >= count) {
        throw refused(`a beam of object ${object.id} has a vertex ${vertex}, but there are ${count}.`);
      }
      const { values } = object.vertices;
      return [values[3 * vertex] ?? 0, values[3 * vertex + 1] ?? 0, values[3 * vertex + 2] ?? 0];
    };
    const balls = this.#allBalls();
    const number = this.#beams.length + balls.length;
    const { sides, isCurved } = fineness.find(({ upTo }) => number <= upTo) ?? { sides: 4, isCurved: false };
    checkLimit('vertices', number * sides * (isCurved ? 24 : 12), limits);
    for (const { vertices, radii, isRound, group, places } of this.#beams) {
      const [from, to] = [pointAt(vertices[0]), pointAt(vertices[1])];
      const axis = minus(to, from);
      const length = Math.hypot(...axis);
      if (length === 0 || length < this.#shortest) continue;
      const profile = profileOf(length, radii, isRound, isCurved);
      const colors = propertiesOf(object, group ?? object.group, places);
      addRevolved(object, { from, axis: times(axis, 1 / length), profile, sides, length, colors });
    }
    for (const [vertex, radius] of balls) {
      const profile = ballOf(radius, Math.max(2, sides / 2));
      const colors = propertiesOf(
        object,
        this.#group ?? object.group,
        this.#place === undefined ? undefined : [this.#place, this.#place],
      );
      addRevolved(object, { from: pointAt(vertex), axis: [0, 0, 1], profile, sides, length: 1, colors });
    }
  }

  /** By vertex, with their radius. */
  #allBalls(): (readonly [number, number])[] {
    if (this.#ballMode === 'none') return [];
    const all = new Map(
      this.#ballMode === 'all'
        ? this.#beams.flatMap(({ vertices }) => vertices.map((v) => [v, this.#ballRadius] as const))
        : [],
    );
    for (const [vertex, radius] of this.#balls) all.set(vertex, radius);
    return [...all].filter(([, radius]) => radius > 0);
  }
}

/** Along the axis, and away from it. */
type Profile = readonly (readonly [along: number, radius: number])[];

const HALF = Math.SQRT1_2;

function profileOf(length: number, [r1, r2]: Beam['radii'], isRound: Beam['isRound'], isCurved: boolean): Profile {
  const start: Profile = isRound[0] ? [[-r1, 0], ...(isCurved ? [[-HALF * r1, HALF * r1] as const] : [])] : [[0, 0]];
  const end: Profile = isRound[1]
    ? [...(isCurved ? [[length + HALF * r2, HALF * r2] as const] : []), [length + r2, 0]]
    : [[length, 0]];
  return [...start, [0, r1], [length, r2], ...end];
}

function ballOf(radius: number, steps: number): Profile {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = (Math.PI * i) / steps;
    return [-radius * Math.cos(angle), i === 0 || i === steps ? 0 : radius * Math.sin(angle)] as const;
  });
}

interface Revolved {
  readonly from: vec3;
  /** Of length 1. */
  readonly axis: vec3;
  readonly profile: Profile;
  readonly sides: number;
  readonly length: number;
  /** The group, and the place in it at either end; zeros for the object's. */
  readonly colors: readonly [group: number, atStart: number, atEnd: number];
}

/** Turns a profile, whose ends lie on the axis, around it. */
function addRevolved(object: ThreemfObject, { from, axis, profile, sides, length, colors }: Revolved): void {
  const [u, v] = across(axis);
  const rings = profile.map(([along, radius]) => {
    const first = object.vertices.length / 3;
    const points = radius === 0 ? 1 : sides;
    for (let i = 0; i < points; i += 1) {
      const angle = (2 * Math.PI * i) / sides;
      const [x, y] = [radius * Math.cos(angle), radius * Math.sin(angle)];
      for (const j of [0, 1, 2] as const) object.vertices.push(from[j] + along * axis[j] + x * u[j] + y * v[j]);
    }
    return { first, points, place: along * 2 < length ? colors[1] : colors[2] };
  });
  for (const [i, ring] of rings.slice(0, -1).entries()) {
    const next = rings[i + 1] ?? ring;
    for (let side = 0; side < sides; side += 1) {
      const [a, b] = [corner(ring, side), corner(ring, side + 1)];
      const [c, d] = [corner(next, side), corner(next, side + 1)];
      if (ring.points > 1) addTriangle(object, [a, b, d], colors[0], [ring.place, ring.place, next.place]);
      if (next.points > 1) addTriangle(object, [a, d, c], colors[0], [ring.place, next.place, next.place]);
    }
  }
}

function corner({ first, points }: { readonly first: number; readonly points: number }, side: number): number {
  return first + (side % points);
}

function addTriangle(
  object: ThreemfObject,
  vertices: readonly number[],
  group: number,
  places: readonly number[],
): void {
  for (const vertex of vertices) object.triangles.push(vertex);
  object.properties.push(group);
  for (const place of places) object.properties.push(group === 0 ? 0 : place);
}

function propertiesOf(object: ThreemfObject, group: string | undefined, places: Beam['places']): Revolved['colors'] {
  if (group === undefined || places === undefined) return [0, 0, 0];
  return [numberOfGroup(object, group), ...places];
}

/** Two directions that make a right-handed system with an axis. */
function across(axis: vec3): [vec3, vec3] {
  const [x, y, z] = axis;
  const helper: vec3 = Math.abs(z) < 0.9 ? [0, 0, 1] : [1, 0, 0];
  const u = cross(helper, axis);
  const unit = times(u, 1 / Math.hypot(...u));
  return [unit, cross([x, y, z], unit)];
}

function cross([a, b, c]: vec3, [x, y, z]: vec3): vec3 {
  return [b * z - c * y, c * x - a * z, a * y - b * x];
}

function minus([a, b, c]: vec3, [x, y, z]: vec3): vec3 {
  return [a - x, b - y, c - z];
}

function times([x, y, z]: vec3, factor: number): vec3 {
  return [factor * x, factor * y, factor * z];
}
