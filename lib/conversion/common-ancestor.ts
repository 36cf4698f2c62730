import type { Node } from '@gltf-transform/core';

/** The lowest node that all of these are below, or are themselves; undefined where there is none. */
export function commonAncestor([first, ...others]: readonly Node[]): Node | undefined {
  const path: Node[] = [];
  for (let next = first ?? null; next !== null; next = next.getParentNode()) path.push(next);
  const heights = new Map(path.map((node, height) => [node, height]));
  let lowest = 0;
  for (const node of others) {
    let next: Node | null = node;
    while (next !== null && !heights.has(next)) next = next.getParentNode();
    lowest = Math.max(lowest, next === null ? path.length : (heights.get(next) ?? 0));
  }
  return path[lowest];
}
