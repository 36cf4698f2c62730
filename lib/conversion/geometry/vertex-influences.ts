/** Influences of joints that glTF has room for in one attribute. */
export const MOST_INFLUENCES = 4;

/**
 * Puts an influence among the four of a vertex, the strongest first.
 * @param at where those of the vertex begin
 */
export function keepStrongest(
  joints: Uint16Array,
  weights: Float32Array,
  at: number,
  joint: number,
  weight: number,
): void {
  let slot = at + MOST_INFLUENCES - 1;
  if (!(weight > (weights[slot] ?? 0))) return;
  while (slot > at && weight > (weights[slot - 1] ?? 0)) {
    weights[slot] = weights[slot - 1] ?? 0;
    joints[slot] = joints[slot - 1] ?? 0;
    slot -= 1;
  }
  weights[slot] = weight;
  joints[slot] = joint;
}

/** Makes one of the sum of each vertex's weights. What no joint holds is held by the first, as most programs show it. */
export function normaliseWeights(weights: Float32Array): void {
  for (let at = 0; at < weights.length; at += MOST_INFLUENCES) {
    const four = weights.subarray(at, at + MOST_INFLUENCES);
    const sum = four.reduce((a, b) => a + b, 0);
    for (let i = 0; i < MOST_INFLUENCES; i += 1) four[i] = sum > 0 ? (four[i] ?? 0) / sum : 0;
    if (!(sum > 0)) four[0] = 1;
  }
}
