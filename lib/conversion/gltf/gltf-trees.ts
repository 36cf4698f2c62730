import type { GLTF } from '@gltf-transform/core';
import { ConversionError } from '../conversion-error.ts';
import { checkLimit, type WorkLimits } from '../conversion-limits.ts';
import type { ConversionWarning } from '../conversion-outcome.ts';

/** Deeper scene graphs overflow the stack of the libraries that walk them. */
const MAX_NODE_DEPTH = 1000;

/**
 * Makes trees of nodes that are not: glTF 2.0, 3.5.2 wants each to have one parent at most, and those at the top of a scene none. What
 * several hold, each gets a copy of; a scene shows once what it names and holds besides. Every index must have its target.
 * @throws ConversionError `input_refused` for nodes that are their own ancestors, `limit`
 */
export function mendTrees(json: GLTF.IGLTF, limits: WorkLimits): ConversionWarning[] {
  const { nodes = [], scenes = [] } = json;
  for (const node of nodes) if (node.children) node.children = [...new Set(node.children)];
  checkDepth(nodes);
  const held = new Set(nodes.flatMap(({ children = [] }) => children));
  const nested = scenes.flatMap((scene) => (scene.nodes ?? []).filter((root) => held.has(root)));
  dropShownTwice(scenes, nodes, held, limits);
  const originals = copyShared(json, limits);
  moveCopies(json, originals, limits);
  return warnings(nodes, nested, [...originals.values()]);
}

/** From parents to children; what is never free of parents has a loop above it. */
function checkDepth(nodes: readonly GLTF.INode[]): void {
  const parents = new Uint32Array(nodes.length);
  for (const { children = [] } of nodes) for (const child of children) parents[child] = (parents[child] ?? 0) + 1;
  let level = [...nodes.keys()].filter((i) => parents[i] === 0);
  let reached = 0;
  for (let depth = 1; level.length > 0; depth += 1) {
    if (depth > MAX_NODE_DEPTH) {
      const message = `The nodes of the model are nested deeper than ${MAX_NODE_DEPTH} levels. Flatten them.`;
      throw new ConversionError('limit', message);
    }
    reached += level.length;
    const next: number[] = [];
    for (const child of level.flatMap((i) => nodes[i]?.children ?? [])) {
      parents[child] = (parents[child] ?? 0) - 1;
      if (parents[child] === 0) next.push(child);
    }
    level = next;
  }
  if (reached === nodes.length) return;
  const message = 'The model is no valid glTF: some nodes are their own ancestors. Export it again.';
  throw new ConversionError('input_refused', message);
}

/** Takes nodes from the top of a scene that it shows below others anyway. */
function dropShownTwice(
  scenes: readonly GLTF.IScene[],
  nodes: readonly GLTF.INode[],
  held: ReadonlySet<number>,
  limits: WorkLimits,
): void {
  let walked = 0;
  for (const scene of scenes) {
    const roots = scene.nodes ?? [];
    if (!roots.some((root) => held.has(root))) continue;
    const below = new Set<number>();
    const waiting = [...roots];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (const child of nodes[next]?.children ?? []) {
        if (below.has(child)) continue;
        below.add(child);
        waiting.push(child);
      }
    }
    scene.nodes = roots.filter((root) => !below.has(root));
    walked += below.size;
    checkLimit('nodes', walked, limits);
  }
}

/** Gives each parent that is shown a child of its own. @returns the original of each copy */
function copyShared(json: GLTF.IGLTF, limits: WorkLimits): Map<number, number> {
  const { nodes = [], scenes = [] } = json;
  const originals = new Map<number, number>();
  const placed = new Set(scenes.flatMap((scene) => scene.nodes ?? []));
  const place = (child: number): number => {
    const isFree = !placed.has(child);
    const own = isFree ? child : nodes.length;
    if (!isFree) {
      nodes.push({ ...nodes[child] });
      originals.set(own, originals.get(child) ?? child);
      checkLimit('nodes', nodes.length, limits);
    }
    placed.add(own);
    return own;
  };
  const waiting = [...placed];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const node = nodes[next];
    if (!node?.children) continue;
    node.children = node.children.map(place);
    for (const child of node.children) waiting.push(child);
  }
  dropUnseenParents(nodes, placed);
  return originals;
}

/** Nobody sees what is in no scene: it goes without what is shown elsewhere. */
function dropUnseenParents(nodes: readonly GLTF.INode[], shown: ReadonlySet<number>): void {
  const held = new Set(shown);
  for (const [i, node] of nodes.entries()) {
    if (shown.has(i) || !node.children) continue;
    node.children = node.children.filter((child) => !held.has(child));
    for (const child of node.children) held.add(child);
  }
}

/** What moves a node moves its copies, each of which counts as one node more. */
function moveCopies(
  { animations = [], nodes = [] }: GLTF.IGLTF,
  originals: ReadonlyMap<number, number>,
  limits: WorkLimits,
): void {
  let moved = nodes.length;
  const copies = Map.groupBy(originals.keys(), (copy) => originals.get(copy));
  for (const animation of animations) {
    animation.channels = animation.channels.flatMap((channel) => {
      const { target } = channel;
      const own = copies.get(target.node) ?? [];
      moved += own.length;
      checkLimit('nodes', moved, limits);
      return [channel, ...own.map((node) => ({ ...channel, target: { ...target, node } }))];
    });
  }
}

function warnings(
  nodes: readonly GLTF.INode[],
  nested: readonly number[],
  shared: readonly number[],
): ConversionWarning[] {
  const details = (found: readonly number[]) => {
    const [first = 0] = found;
    return { node: String(nodes[first]?.name ?? first), count: String(found.length) };
  };
  return [
    ...(nested.length > 0 ? [{ ...NESTED, details: details(nested) }] : []),
    ...(shared.length > 0 ? [{ ...SHARED, details: details(shared) }] : []),
  ];
}

const NESTED: Omit<ConversionWarning, 'details'> = {
  code: 'scene_root_nested',
  title: 'Node at the top of a scene that another node holds, too',
};
const SHARED: Omit<ConversionWarning, 'details'> = {
  code: 'node_copied',
  title: 'Node below several others, each of which has a copy of it now',
};
