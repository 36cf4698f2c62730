import { badRequest } from './api-error.ts';

export type FilterToken =
  /** A name, a keyword or an operator. */
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'sign'; readonly text: '(' | ')' | ',' };

const TOKEN = /\s*(?:(?<word>[A-Za-z_][A-Za-z0-9_]*)|'(?<string>(?:[^']|'')*)'|(?<integer>-?\d+)|(?<sign>[(),]))/y;
const INTEGER_LIMIT = 2 ** 31;

/** @throws ApiError 400, with the place of what is no token */
export function tokensOf(text: string): readonly FilterToken[] {
  const tokens: FilterToken[] = [];
  const end = text.trimEnd().length;
  let place = 0;
  while (place < end) {
    TOKEN.lastIndex = place;
    const groups = TOKEN.exec(text)?.groups;
    if (!groups) throw badRequest(`The filter cannot be read from its character ${place + 1} on.`, 'filter');
    tokens.push(tokenOf(groups));
    place = TOKEN.lastIndex;
  }
  return tokens;
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): FilterToken {
  const { word, string, integer, sign } = groups;
  if (word !== undefined) return { kind: 'word', text: word };
  if (string !== undefined) return { kind: 'string', text: string.replaceAll("''", "'") };
  if (integer === undefined) return { kind: 'sign', text: sign === '(' || sign === ')' ? sign : ',' };
  const value = Number(integer);
  if (value < -INTEGER_LIMIT || value >= INTEGER_LIMIT)
    throw badRequest(`The number ${integer} is too large.`, 'filter');
  return { kind: 'integer', value };
}
