import { decodePathPart } from '../path-part.ts';
import { HostError } from './host-error.ts';

/** A route template of ASP.NET as far as this host speaks it: literals, `{x}`, `{x:int}`, a last `{x?}` and a last `{*x}`. */
export interface RouteTemplate {
  readonly text: string;
  readonly segments: readonly Segment[];
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string; readonly integer: boolean; readonly optional: boolean }
  | { readonly kind: 'rest'; readonly name: string };

/** Parses a template. Throws HostError `unsupported` for what ASP.NET knows and this host does not, and for what is malformed. */
export function parseRoute(text: string): RouteTemplate {
  const parts = text.split('/').filter((part) => part !== '');
  const segments = parts.map((part) => parseSegment(part, text));
  for (const segment of segments.slice(0, -1)) {
    if (segment.kind === 'rest' || (segment.kind === 'parameter' && segment.optional)) {
      throw refusal(text, `"{${segment.name}}" may only be the last segment`);
    }
  }
  const names = segments.flatMap((segment) => (segment.kind === 'literal' ? [] : [segment.name.toLowerCase()]));
  if (new Set(names).size < names.length) throw refusal(text, 'a parameter name occurs twice');
  return { text, segments };
}

/**
 * The parameters of a path that matches, or undefined. Literals match in any case, one trailing slash is ignored, and values are
 * percent-decoded but for %2F, as Kestrel hands paths to ASP.NET.
 */
export function matchRoute(template: RouteTemplate, path: string): Readonly<Record<string, string>> | undefined {
  const parts = decodeParts(path);
  const parameters: Record<string, string> = {};
  for (const [index, segment] of template.segments.entries()) {
    const value = segment.kind === 'rest' ? parts.slice(index).join('/') : (parts[index] ?? '');
    if (!fits(segment, value)) return undefined;
    if (segment.kind !== 'literal' && value !== '') parameters[segment.name] = value;
  }
  const hasRest = template.segments.at(-1)?.kind === 'rest';
  return hasRest || parts.length <= template.segments.length ? parameters : undefined;
}

/** Sorts the more specific template first: per segment, literal before `{x:int}` before `{x}` before `{*x}`; then the shorter. */
export function compareRoutes(one: RouteTemplate, other: RouteTemplate): number {
  const length = Math.min(one.segments.length, other.segments.length);
  for (let index = 0; index < length; index += 1) {
    const difference = rank(one.segments[index]) - rank(other.segments[index]);
    if (difference !== 0) return difference;
  }
  return one.segments.length - other.segments.length;
}

/** Two templates of one shape match the same paths: the same text here, whatever their parameters are called. */
export function routeShape(template: RouteTemplate): string {
  const shape = template.segments.map((segment) => {
    if (segment.kind === 'literal') return segment.text.toLowerCase();
    if (segment.kind === 'rest') return '{*}';
    return segment.integer ? '{:int}' : '{}';
  });
  return `/${shape.join('/')}`;
}

function parseSegment(part: string, route: string): Segment {
  if (!/[{}]/.test(part)) return { kind: 'literal', text: part };
  const found = /^\{(?<star>\*{0,2})(?<name>[A-Za-z_]\w*)(?<constraint>:int)?(?<optional>\?)?\}$/.exec(part);
  const { star, name, constraint, optional } = found?.groups ?? {};
  if (name === undefined || (star && (constraint || optional))) {
    throw refusal(route, `segment "${part}" is none of {x}, {x?}, {x:int}, {*x} or a literal`);
  }
  if (star) return { kind: 'rest', name };
  return { kind: 'parameter', name, integer: constraint !== undefined, optional: optional !== undefined };
}

function refusal(route: string, why: string): HostError {
  return new HostError('unsupported', `The embedded host cannot serve route "${route}": ${why}.`);
}

function decodeParts(path: string): string[] {
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  return trimmed === '' ? [] : trimmed.split('/').map(decodePart);
}

function decodePart(part: string): string {
  try {
    return decodePathPart(part);
  } catch {
    return part;
  }
}

function fits(segment: Segment, value: string): boolean {
  if (segment.kind === 'rest') return true;
  if (segment.kind === 'literal') return segment.text.toLowerCase() === value.toLowerCase();
  return value === '' ? segment.optional : !segment.integer || isInt32(value);
}

function isInt32(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && Number(text) >= -(2 ** 31) && Number(text) < 2 ** 31;
}

function rank(segment: Segment | undefined): number {
  if (segment?.kind === 'literal') return 0;
  if (segment?.kind === 'parameter') return segment.integer ? 1 : 2;
  return 3;
}
