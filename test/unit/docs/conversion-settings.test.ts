import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { conversionSettings, parseConversionSettings } from '#lib/conversion';
import { allowedBy } from '../../../lib/conversion/describe-issues.ts';
import { materialOverride } from '../../../lib/conversion/material-overrides.ts';

const text = await readFile(new URL('../../../docs/conversion-settings.md', import.meta.url), 'utf8');

/** A row of a table for each key of a schema. */
function rowsOf(schema: z.ZodType, cells: (key: string) => readonly unknown[]): string {
  const { properties = {} } = z.toJSONSchema(schema);
  const rows = Object.entries(properties).map(([key, property]) => {
    if (typeof property === 'boolean') throw new TypeError(`${key} has no schema.`);
    const words = [
      ...cells(key),
      allowedBy(property),
      ...(property.description === undefined ? [] : [property.description]),
    ];
    return `| \`${key}\` | ${words.join(' | ')} |`;
  });
  return rows.join('\n');
}

function defaultOf(settings: object, key: string): string {
  const value: unknown = Reflect.get(settings, key);
  if (value === undefined || typeof value === 'object')
    return Array.isArray(value) ? `\`${JSON.stringify(value)}\`` : '';
  return `\`${JSON.stringify(value)}\``;
}

test('every setting is described, with what holds where a file says nothing of it and where there is none', () => {
  const [file, none] = [parseConversionSettings({}), parseConversionSettings(undefined)];
  const rows = rowsOf(conversionSettings, (key) => [defaultOf(file, key), defaultOf(none, key)]);
  expect(text).toContain(rows);
});

test('so is every vertex format', () => {
  const [file, none] = [parseConversionSettings({}).vertex, parseConversionSettings(undefined).vertex];
  const rows = rowsOf(conversionSettings.shape.vertex.unwrap(), (key) => [defaultOf(file, key), defaultOf(none, key)]);
  expect(text).toContain(rows);
});

test('so is every property of a material override', () => {
  expect(text).toContain(rowsOf(materialOverride, () => []));
});
