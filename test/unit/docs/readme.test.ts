import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseConfig, settings } from '#lib/config';

const root = new URL('../../../', import.meta.url);
const text = (path: string) => readFile(new URL(path, root), 'utf8');

const sample = z.object({ IsEncrypted: z.literal(false), Values: z.record(z.string(), z.string()) });
const manifest = z.object({ scripts: z.record(z.string(), z.string()) });

describe('the README', () => {
  test('shows every setting with its default and its description, in the order of the schema', async () => {
    const shape: Readonly<Record<string, z.ZodType>> = settings.shape;
    const rows = Object.entries(shape).map(([name, setting]) => {
      const value = setting instanceof z.ZodDefault ? String(setting.def.defaultValue) : '';
      const preset = value === '' ? '' : `\`${value}\``;
      return `| \`${name}\` | ${preset} | ${setting.description} |`;
    });
    expect(await text('README.md')).toContain(rows.join('\n'));
  });

  test('names only commands that the package has', async () => {
    const { scripts } = manifest.parse(JSON.parse(await text('package.json')));
    const named = [...(await text('README.md')).matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe('local.settings.sample.json', () => {
  test('has every setting, and none that the app does not know', async () => {
    const { Values } = sample.parse(JSON.parse(await text('local.settings.sample.json')));
    const { FUNCTIONS_WORKER_RUNTIME, ...ours } = Values;
    expect(FUNCTIONS_WORKER_RUNTIME).toBe('node');
    expect(Object.keys(ours).sort()).toEqual(Object.keys(settings.shape).sort());
  });

  test('can be used as it is', async () => {
    const { Values } = sample.parse(JSON.parse(await text('local.settings.sample.json')));
    expect(parseConfig(Values).controlPlaneUrl).toBe('http://127.0.0.1:7071');
  });
});
