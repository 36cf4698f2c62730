import { type Curve, readCurve } from './curve.ts';
import type { DaeElement } from './dae-element.ts';
import { inputSource } from './dae-source.ts';
import { readTransforms } from './transforms.ts';

/** A number, or all of them, of a transformation or of a morph's weights that a curve moves. */
export interface Track {
  readonly curve: Curve;
  /** Of the node's transformations, or of the shapes. */
  readonly target: number;
  /** Which of the target's numbers is moved; undefined for all. */
  readonly which: number | undefined;
}

/** A track of a node or of a morph. */
interface Aimed {
  readonly element: DaeElement;
  readonly track: Track;
}

/** Where the numbers of a transformation stand by their names. */
const members: Readonly<Record<string, number>> = { X: 0, Y: 1, Z: 2, ANGLE: 3 };

/** Tells what channels move. */
export class TrackReader {
  readonly #curves = new Map<DaeElement, Curve | undefined>();
  readonly #sids = new Map<DaeElement, readonly string[]>();

  /** What a channel moves of which node: `node/sid`, `node/sid.MEMBER` or `node/sid(i)(j)`. */
  ofNode(channel: DaeElement): Aimed | undefined {
    const [, id = '', path = ''] = /^([^/]*)\/(.*)$/.exec(targetOf(channel)) ?? [];
    const sids = path.split('/');
    const element = nodeBelow(channel.home.find(id, ['node']), sids.slice(0, -1));
    const pattern = /^([^.(]*)(?:\.([^(]*))?(?:\((\d+)\))?(?:\((\d+)\))?$/;
    const [, sid, member = '', first, second = '0'] = pattern.exec(sids.at(-1) ?? '') ?? [];
    const curve = this.#curveOf(channel);
    if (element === undefined || sid === undefined || curve === undefined) return undefined;
    const target = this.#sidsOf(element).indexOf(sid);
    if (target < 0) return undefined;
    const cell = first === undefined ? undefined : Number(first) + 4 * Number(second);
    return { element, track: { curve, target, which: members[member.toUpperCase()] ?? cell } };
  }

  /** What a channel weighs of which morph: a number of the source of its weights, by the source's id or sid. Some write `(Weight_0_1)`. */
  ofMorph(channel: DaeElement): Aimed | undefined {
    const [, id = '', sid, number] = /^([^/(]*)(?:\/([^(]*))?\((?:\w*?_)?(\d+)\)$/.exec(targetOf(channel)) ?? [];
    const curve = this.#curveOf(channel);
    const element = curve && number !== undefined ? morphOf(channel, id, sid) : undefined;
    return curve && element && { element, track: { curve, target: Number(number), which: 0 } };
  }

  #curveOf(channel: DaeElement): Curve | undefined {
    const sampler = channel.find('source', 'sampler');
    if (sampler === undefined) return undefined;
    if (!this.#curves.has(sampler)) this.#curves.set(sampler, readCurve(sampler));
    return this.#curves.get(sampler);
  }

  #sidsOf(node: DaeElement): readonly string[] {
    const known = this.#sids.get(node) ?? readTransforms(node).map(({ sid }) => sid);
    this.#sids.set(node, known);
    return known;
  }
}

function targetOf(channel: DaeElement): string {
  return channel.get('target')?.trim() ?? '';
}

function nodeBelow(node: DaeElement | undefined, sids: readonly string[]): DaeElement | undefined {
  let found = node;
  for (const sid of sids) {
    const below: Iterable<DaeElement> = found?.below() ?? [];
    found = undefined;
    for (const element of below) {
      if (element.name !== 'node' || element.get('sid') !== sid) continue;
      found = element;
      break;
    }
  }
  return found;
}

function morphOf(channel: DaeElement, id: string, sid: string | undefined): DaeElement | undefined {
  const controller = channel.home.find(id, ['controller']);
  if (controller !== undefined && sid !== undefined) return controller.child('morph');
  const source = channel.home.find(id, ['source']);
  if (source === undefined) return undefined;
  return channel.home.morphs.find((morph) => inputSource(morph.child('targets'), 'MORPH_WEIGHT') === source);
}
