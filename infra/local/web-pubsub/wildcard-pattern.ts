/** Tests a group's name, in a time that grows with the product of both lengths, whatever the pattern is. */
export type WildcardPattern = (name: string) => boolean;

type Token = { readonly kind: 'literal'; readonly text: string } | { readonly kind: 'one' | 'many' | 'any' };

const LENGTH_LIMIT = 1024;
const STAR_LIMIT = 5;

/**
 * Parses the pattern of a wildcard role: `?` is one character but `.`, `*` any number of characters but `.`, `**` any number of any,
 * and `\` takes the meaning from `\`, `*` and `?`. Undefined for a pattern that the service ignores.
 */
export function parsePattern(pattern: string): WildcardPattern | undefined {
  if (pattern === '' || pattern.length > LENGTH_LIMIT) return undefined;
  const parts = pattern.match(/\\[\\*?]|\*\*|[^\\]/gs) ?? [];
  if (parts.join('') !== pattern) return undefined;
  const stars = parts.filter((part) => part.startsWith('*')).join('').length;
  if (stars > STAR_LIMIT) return undefined;
  const tokens = parts.map(tokenOf);
  return (name) => matches(tokens, name);
}

function tokenOf(part: string): Token {
  if (part === '?') return { kind: 'one' };
  if (part === '*') return { kind: 'many' };
  if (part === '**') return { kind: 'any' };
  return { kind: 'literal', text: part.at(-1) ?? '' };
}

/** Walks the name once, with the set of tokens that may come next. */
function matches(tokens: readonly Token[], name: string): boolean {
  let positions = skipEmpty(tokens, new Set([0]));
  for (const character of name.split('')) {
    const next = new Set<number>();
    for (const position of positions) {
      const token = tokens[position];
      if (token && takes(token, character)) {
        next.add(token.kind === 'many' || token.kind === 'any' ? position : position + 1);
      }
    }
    positions = skipEmpty(tokens, next);
  }
  return positions.has(tokens.length);
}

/** What stands for any number of characters may stand for none. Adds to the set while it is walked. */
function skipEmpty(tokens: readonly Token[], positions: Set<number>): Set<number> {
  for (const position of positions) {
    const kind = tokens[position]?.kind;
    if (kind === 'many' || kind === 'any') positions.add(position + 1);
  }
  return positions;
}

function takes(token: Token, character: string): boolean {
  if (token.kind === 'literal') return token.text === character;
  return token.kind === 'any' || character !== '.';
}
