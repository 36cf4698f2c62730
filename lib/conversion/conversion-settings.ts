import { z } from 'zod';
import { ConversionError } from './conversion-error.ts';

/** The settings that are honoured, with names and defaults of contract 2.7. */
export const conversionSettings = z.strictObject({
  /** Factor on every length. */
  scaling: z.number().positive().default(1),
  /** Moves the middle of the bounding box to the origin. */
  recenterToOrigin: z.boolean().default(false),
  /** Makes one material of several that look the same. */
  deduplicateMaterials: z.boolean().default(true),
});

export type ConversionSettings = z.output<typeof conversionSettings>;

const allowed: Readonly<Record<keyof ConversionSettings, string>> = {
  scaling: 'a number above 0',
  recenterToOrigin: 'true or false',
  deduplicateMaterials: 'true or false',
};

/**
 * Settings with their defaults filled in.
 * @throws ConversionError `input_refused`: every wrong key with its value and what is allowed
 */
export function parseConversionSettings(value: unknown): ConversionSettings {
  const parsed = conversionSettings.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ConversionError('input_refused', describeSettingsIssues(parsed.error.issues, value), {
    cause: parsed.error,
  });
}

/** What is wrong with settings, in words: each key, the value it has and what is allowed. */
export function describeSettingsIssues(issues: readonly z.core.$ZodIssue[], value: unknown): string {
  const problems = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map(describeUnknownKey);
    const key = String(issue.path[0] ?? '');
    return [describeWrongValue(key, value)];
  });
  return `Conversion settings: ${problems.join(' ')}`;
}

function describeUnknownKey(key: string): string {
  return `'${key}' is not a setting; allowed are ${Object.keys(allowed).join(', ')}.`;
}

function describeWrongValue(key: string, value: unknown): string {
  const rule = Object.entries(allowed).find(([name]) => name === key)?.[1];
  if (rule === undefined) return `${show(value)} is not an object of settings.`;
  const given = typeof value === 'object' && value !== null ? Object.entries(value).find(([name]) => name === key) : [];
  return `'${key}' is ${show(given?.[1])}; allowed is ${rule}.`;
}

function show(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
