/** JSON of whose shape nothing is known yet. */
export type Json = string | number | boolean | null | undefined | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects at a path; `*` is each item of a list. */
export function objectsAt(root: JsonObject, path: readonly string[]): JsonObject[] {
  let found: Json[] = [root];
  for (const step of path) {
    found = found.flatMap((value) => {
      if (step === '*') return Array.isArray(value) ? value : [];
      return isObject(value) && Object.hasOwn(value, step) ? [value[step]] : [];
    });
  }
  return found.filter(isObject);
}
