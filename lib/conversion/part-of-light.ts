/** Colours and what they are multiplied with are parts of the light, from 0 to 1; what is no number is none of it. */
export function partOfLight(value: number): number {
  return value > 0 ? Math.min(1, value) : 0;
}
