/** Greys between the least and the most of all intensities; undefined where they are all the same and say nothing. */
export function intensityColors(
  intensities: Float32Array | Uint16Array,
  encode: (value: number) => number,
): Uint8Array<ArrayBuffer> | undefined {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < intensities.length; i += 1) {
    const value = intensities[i] ?? 0;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (!(most > least) || !Number.isFinite(most - least)) return undefined;
  const colors = new Uint8Array(4 * intensities.length).fill(255);
  for (let i = 0; i < intensities.length; i += 1) {
    colors.fill(encode(((intensities[i] ?? 0) - least) / (most - least)), 4 * i, 4 * i + 3);
  }
  return colors;
}
