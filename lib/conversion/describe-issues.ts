import { z } from 'zod';

/**
 * What is wrong with a value that people wrote: every wrong key by its path, what it is and what is allowed.
 * @param noun what a key of it is, as `setting`
 */
export function describeIssues(schema: z.ZodType, { issues }: z.ZodError, value: unknown, noun: string): string {
  const root = z.toJSONSchema(schema);
  return issues.flatMap((issue) => describeIssue(issue, root, value, noun)).join(' ');
}

/** What a value may be, in words. */
export function allowedBy(schema: JsonSchema): string {
  if (schema.enum !== undefined) return listed(schema.enum.map(String), 'or');
  switch (schema.type) {
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text';
    case 'number':
      return `a number${rangeOf(schema)}`;
    case 'integer':
      return `a whole number${rangeOf(schema)}`;
    case 'array':
      return listOf(schema);
    default:
      return `an object of ${listed(Object.keys(schema.properties ?? {}), 'and')}`;
  }
}

type JsonSchema = z.core.JSONSchema.BaseSchema;
type Path = readonly PropertyKey[];

function describeIssue(issue: z.core.$ZodIssue, root: JsonSchema, value: unknown, noun: string): string[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(schemaAt(root, path)?.properties ?? {}).join(', ');
    return issue.keys.map((key) => `'${nameOf([...path, key])}' is not a ${noun}; allowed are ${known}.`);
  }
  const wrong = valueAt(value, path);
  if (path.length === 0)
    return [`${shown(wrong)} is not ${root.type === 'array' ? 'a list' : 'an object'} of ${noun}s.`];
  const allowed = issue.code === 'custom' ? issue.message : allowedBy(schemaAt(root, path) ?? {});
  return [`'${nameOf(path)}' ${wrong === undefined ? 'is missing' : `is ${shown(wrong)}`}; allowed is ${allowed}.`];
}

function schemaAt(root: JsonSchema, path: Path): JsonSchema | undefined {
  let schema: JsonSchema | boolean | undefined = root;
  for (const step of path) {
    if (typeof schema !== 'object') return undefined;
    schema = typeof step === 'number' ? itemOf(schema, step) : schema.properties?.[String(step)];
  }
  return typeof schema === 'object' ? schema : undefined;
}

function itemOf({ prefixItems, items }: JsonSchema, index: number): JsonSchema | boolean | undefined {
  const item = prefixItems?.[index] ?? items;
  return Array.isArray(item) ? item[index] : item;
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
  return at;
}

/** `vertex.position`, `axis[1]`. */
function nameOf(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i > 0 ? '.' : ''}${shorten(String(step))}`))
    .join('');
}

function rangeOf({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  // JSON Schema of whole numbers names the bounds of what is exact.
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  if (minimum !== undefined && most !== undefined) return ` from ${minimum} to ${most}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return most === undefined ? '' : ` of at most ${most}`;
}

function listOf({ prefixItems, items }: JsonSchema): string {
  const [first] = prefixItems ?? [];
  const each = first ?? (Array.isArray(items) ? items[0] : items);
  const count = prefixItems === undefined ? '' : ` of ${prefixItems.length}`;
  return `a list${count}, each ${typeof each === 'object' ? allowedBy(each) : 'anything'}`;
}

function listed(words: readonly string[], conjunction: string): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}

const MAX_SHOWN = 80;

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return shorten(JSON.stringify(value) ?? String(value));
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
