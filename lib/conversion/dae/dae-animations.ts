import type { Animation, Document, Node, vec4 } from '@gltf-transform/core';
import { type Curve, keyBefore, stepAt, valueAt } from './curve.ts';
import type { DaeElement } from './dae-element.ts';
import type { BuiltScene } from './dae-scene.ts';
import { type Track, TrackReader } from './dae-tracks.ts';
import { type Placement, placementOf, readTransforms, type Transform } from './transforms.ts';

/** From a time to another, in seconds; the rest of the motion is not shown. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** What a channel does. */
interface Motion {
  readonly times: readonly number[];
  /** Of each time. */
  readonly values: readonly (readonly number[])[];
  readonly tracks: readonly Track[];
  readonly span: Span;
}

/** Samples a second where a motion is curved. */
const RATE = 30;
/** Turn between two samples, in degrees, up to which the shortest way is the one that is meant. */
const LARGEST_TURN = 30;
/** Samples between two keys. */
const MOST_BETWEEN = 240;
/** Samples beside the keys, in all; what is curved beyond that is straight. */
const MOST_SAMPLES = 200_000;
/** Transformations at all times together. */
const MOST_WORK = 100_000_000;

/** Makes glTF's animations: one for each clip, and one of everything that is in none. */
export function addAnimations(document: Document, root: DaeElement, scene: BuiltScene): void {
  const libraries = root.all('library_animations');
  const clips = root.all('library_animation_clips').flatMap((library) => library.all('animation_clip'));
  const animator = new Animator(document, scene);
  const all = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };
  const parts = clips.map((clip) =>
    clip.all('instance_animation').flatMap((instance) => instance.find('url', 'animation') ?? []),
  );
  const uses = Map.groupBy(parts.flat(), (part) => part);
  for (const [i, clip] of clips.entries()) {
    // Clips may cut one long motion into pieces. What belongs to one alone is shown whole: programs that write such clips differ in where
    // they begin to count.
    const isPiece = parts[i]?.some((part) => (uses.get(part)?.length ?? 0) > 1) === true;
    const channels = (parts[i] ?? []).flatMap((part) => channelsOf(part));
    animator.add(clip.title, channels, isPiece ? spanOf(clip) : all);
  }
  const rest = libraries.flatMap((library) => library.all('animation')).filter((animation) => !uses.has(animation));
  animator.add(
    libraries[0]?.title ?? '',
    rest.flatMap((animation) => channelsOf(animation, uses)),
    all,
  );
}

/** The channels of an animation and of those within it, but for those that are in use elsewhere. */
function channelsOf(animation: DaeElement, used: ReadonlyMap<DaeElement, unknown> = new Map()): DaeElement[] {
  const channels: DaeElement[] = [];
  const waiting = [animation];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const child of next.children) {
      if (child.name === 'channel') channels.push(child);
      else if (child.name === 'animation' && !used.has(child)) waiting.push(child);
    }
  }
  return channels;
}

function spanOf(clip: DaeElement): Span {
  const start = Number.parseFloat(clip.get('start') ?? '') || 0;
  const end = Number.parseFloat(clip.get('end') ?? '') || Number.POSITIVE_INFINITY;
  return { start, end: Math.max(start, end) };
}

class Animator {
  readonly #document: Document;
  readonly #scene: BuiltScene;
  readonly #tracks = new TrackReader();
  #samples = 0;
  #work = 0;

  constructor(document: Document, scene: BuiltScene) {
    this.#document = document;
    this.#scene = scene;
  }

  add(name: string, channels: readonly DaeElement[], span: Span): void {
    const moved = new Map<DaeElement, Track[]>();
    const shaped = new Map<DaeElement, Track[]>();
    for (const channel of channels) {
      const node = this.#tracks.ofNode(channel);
      const morph = node === undefined ? this.#tracks.ofMorph(channel) : undefined;
      const [tracks, found] = node === undefined ? [shaped, morph] : [moved, node];
      if (found === undefined) continue;
      const known = tracks.get(found.element);
      if (known === undefined) tracks.set(found.element, [found.track]);
      else known.push(found.track);
    }
    const animation = this.#document.createAnimation(name);
    for (const [element, tracks] of moved) this.#moveNodes(animation, element, tracks, span);
    for (const [morph, tracks] of shaped) this.#shapeNodes(animation, morph, tracks, span);
    if (animation.listChannels().length === 0) animation.dispose();
  }

  #moveNodes(animation: Animation, element: DaeElement, tracks: readonly Track[], span: Span): void {
    const nodes = this.#scene.nodes.get(element) ?? [];
    if (nodes.length === 0) return;
    const transforms = readTransforms(element);
    this.#countWork(tracks, transforms.length, element);
    const times = this.#timesOf(tracks, transforms, span);
    const placements = times.map((time) => placementOf(transformsAt(transforms, tracks, time)));
    const rest = placementOf(transforms);
    for (const path of ['translation', 'rotation', 'scale'] as const) {
      const values = path === 'rotation' ? steady(placements) : placements.map((placement) => placement[path]);
      const isMoved = values.some((value) => value.some((number, i) => Math.abs(number - (rest[path][i] ?? 0)) > 1e-7));
      if (!isMoved) continue;
      this.#addChannels(animation, nodes, path, { times, values, tracks, span });
    }
  }

  #shapeNodes(animation: Animation, morph: DaeElement, tracks: readonly Track[], span: Span): void {
    const nodes = this.#scene.morphed.get(morph) ?? [];
    const rest = nodes[0]?.getMesh()?.getWeights() ?? [];
    if (rest.length === 0) return;
    this.#countWork(tracks, rest.length, morph);
    const times = this.#timesOf(tracks, [], span);
    const values = times.map((time) => {
      const weights = [...rest];
      for (const { curve, target } of tracks) if (target < weights.length) weights[target] = valueAt(curve, 0, time);
      return weights;
    });
    this.#addChannels(animation, nodes, 'weights', { times, values, tracks, span });
  }

  #countWork(tracks: readonly Track[], others: number, element: DaeElement): void {
    const keys = curvesOf(tracks).reduce((sum, curve) => sum + curve.times.length, 0);
    this.#work += keys * (tracks.length + others);
    if (this.#work > MOST_WORK) throw element.refuse('has more motion than can be converted: its keys are too many.');
  }

  /** All nodes that move alike have one sampler. */
  #addChannels(
    animation: Animation,
    nodes: readonly Node[],
    path: 'translation' | 'rotation' | 'scale' | 'weights',
    { times, values, tracks, span }: Motion,
  ): void {
    const buffer = this.#document.getRoot().listBuffers()[0] ?? null;
    const type = path === 'rotation' ? 'VEC4' : path === 'weights' ? 'SCALAR' : 'VEC3';
    const shift = Number.isFinite(span.start) ? span.start : 0;
    const input = Float32Array.from(times, (time) => time - shift);
    const output = Float32Array.from(values.flat());
    const isStep = tracks.every(({ curve }) => curve.steps.length > 0 && curve.steps.every((step) => step === 'STEP'));
    const sampler = this.#document
      .createAnimationSampler()
      .setInterpolation(isStep ? 'STEP' : 'LINEAR')
      .setInput(this.#document.createAccessor().setType('SCALAR').setArray(input).setBuffer(buffer))
      .setOutput(this.#document.createAccessor().setType(type).setArray(output).setBuffer(buffer));
    animation.addSampler(sampler);
    for (const node of nodes) {
      const channel = this.#document.createAnimationChannel().setTargetNode(node).setTargetPath(path);
      animation.addChannel(channel.setSampler(sampler));
    }
  }

  /** Every key of every track, and what lies between them where straight lines would not do. */
  #timesOf(tracks: readonly Track[], transforms: readonly Transform[], { start, end }: Span): number[] {
    const keys = new Set<number>();
    for (const curve of curvesOf(tracks))
      for (const time of curve.times) keys.add(Math.min(end, Math.max(start, time)));
    const sorted = [...keys].sort((a, b) => a - b);
    const times: number[] = [];
    for (const [i, time] of sorted.entries()) {
      times.push(time);
      const next = sorted[i + 1];
      if (next === undefined) break;
      const pieces = this.#samples > MOST_SAMPLES ? 1 : piecesBetween(tracks, transforms, time, next);
      this.#samples += pieces - 1;
      for (let piece = 1; piece < pieces; piece += 1) times.push(time + ((next - time) * piece) / pieces);
      if (tracks.some(({ curve }) => isStepAt(curve, time)) && !tracks.every(({ curve }) => isStepAt(curve, time))) {
        times.push(next - Math.min(0.001, (next - time) / (2 * pieces)));
      }
    }
    return times;
  }
}

function curvesOf(tracks: readonly Track[]): Curve[] {
  return [...new Set(tracks.map(({ curve }) => curve))];
}

function transformsAt(transforms: readonly Transform[], tracks: readonly Track[], time: number): Transform[] {
  const moved = [...transforms];
  for (const { curve, target, which } of tracks) {
    const transform = moved[target];
    if (transform === undefined) continue;
    const values = transform.values.map((value, i) => {
      if (which === undefined) return i < curve.size ? valueAt(curve, i, time) : value;
      return i === which ? valueAt(curve, 0, time) : value;
    });
    moved[target] = { ...transform, values };
  }
  return moved;
}

/** Into how many pieces the motion between two keys is cut. */
function piecesBetween(tracks: readonly Track[], transforms: readonly Transform[], from: number, to: number): number {
  let pieces = 1;
  let turn = 0;
  for (const { curve, target, which } of tracks) {
    const kind = transforms[target]?.kind;
    const step = stepAt(curve, Math.max(0, keyBefore(curve.times, from)));
    const isCurved = step !== 'STEP' && step !== 'LINEAR' && kind !== 'matrix';
    if (isCurved || kind === 'lookat' || kind === 'skew') pieces = Math.max(pieces, Math.ceil((to - from) * RATE));
    const angle = which === undefined ? 3 : 0;
    if (kind === 'rotate' && (which === undefined || which === 3) && step !== 'STEP') {
      turn += Math.abs(valueAt(curve, angle, to) - valueAt(curve, angle, from));
    }
  }
  return Math.min(MOST_BETWEEN, Math.max(pieces, Math.ceil(turn / LARGEST_TURN) || 1));
}

function isStepAt(curve: Curve, time: number): boolean {
  return stepAt(curve, Math.max(0, keyBefore(curve.times, time))) === 'STEP';
}

/** Each rotation the one of its two quaternions that is nearer to that before. */
function steady(placements: readonly Placement[]): vec4[] {
  let before: vec4 = [0, 0, 0, 1];
  return placements.map(({ rotation: [x, y, z, w] }) => {
    const along = x * before[0] + y * before[1] + z * before[2] + w * before[3];
    before = along < 0 ? [-x, -y, -z, -w] : [x, y, z, w];
    return before;
  });
}
