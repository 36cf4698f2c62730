/**
 * The filament that most of a triangle is painted with in a slicer, from 1; 0 for none. Its text has one half of a byte for each part that a
 * triangle is split into, from the end on: into how many, or the filament.
 */
export function mostPainted(text: string): { readonly filament: number; readonly isSplit: boolean } {
  const shares = new Map<number, number>();
  const waiting = [1];
  let at = text.length;
  const next = () => {
    at -= 1;
    const digit = Number.parseInt(text[at] ?? '0', 16);
    return Number.isNaN(digit) ? 0 : digit;
  };
  let isSplit = false;
  while (waiting.length > 0 && at > 0) {
    const share = waiting.pop() ?? 0;
    const code = next();
    const sides = code & 3;
    if (sides === 0) {
      const filament = code >> 2 === 3 ? next() + 3 : code >> 2;
      shares.set(filament, (shares.get(filament) ?? 0) + share);
      continue;
    }
    isSplit = true;
    for (let i = 0; i <= sides; i += 1) waiting.push(share / (sides + 1));
  }
  const [most = [0, 0]] = [...shares].toSorted(([, a], [, b]) => b - a);
  return { filament: most[0], isSplit };
}
