/** What the first word of an OFF file says of its vertices. */
export interface OffSyntax {
  readonly hasTexcoords: boolean;
  readonly hasColors: boolean;
  readonly hasNormals: boolean;
  /** Positions have a fourth number, by which the others are divided. */
  readonly isHomogeneous: boolean;
  /** The number of dimensions follows. */
  readonly hasDimension: boolean;
}

/** Programs write the counts right behind the word, even without a space. */
const KEYWORD = /^(ST)?(C)?(N)?(4)?(n)?OFF(?=[\s\d#]|$)/;

/** Geomview's names: `[ST][C][N][4][n]OFF`. Undefined for another word. */
export function offSyntax(line: string): { syntax: OffSyntax; rest: string } | undefined {
  const found = KEYWORD.exec(line);
  if (found === null) return undefined;
  const [keyword, texcoords, colors, normals, homogeneous, dimension] = found;
  const syntax = {
    hasTexcoords: texcoords !== undefined,
    hasColors: colors !== undefined,
    hasNormals: normals !== undefined,
    isHomogeneous: homogeneous !== undefined,
    hasDimension: dimension !== undefined,
  };
  return { syntax, rest: line.slice(keyword.length).trim() };
}

export function isOff(head: Uint8Array): boolean {
  const lines = Buffer.from(head)
    .toString('latin1')
    .split(/[\r\n]+/);
  const first = lines.find((line) => !/^\s*(#|$)/.test(line));
  return first !== undefined && offSyntax(first.trim()) !== undefined;
}
