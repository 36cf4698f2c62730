import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The folders of lib from the top down: each may import what stands below it, and its neighbours where no circle comes of it. */
const LAYERS = [
  ['pipeline'],
  ['rendering'],
  ['conversion', 'compute', 'storage', 'sts', 'pubsub', 'remoting', 'client'],
  ['records', 'identity', 'http', 'config', 'durable'],
  ['api'],
] as const;
const FUNCTIONS_PACKAGES = ['@azure/functions', '@azure/functions-core', 'durable-functions'];

interface Source {
  /** Relative to the root, `/` between its parts. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly string[];
}

function sourcesIn(folder: string): Source[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && extname(entry.name) === '.ts')
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const text = readFileSync(file, 'utf8');
      const imports = [...text.matchAll(/\b(?:from|import) '([^']+)'|\bimport\('([^']+)'\)/g)];
      return {
        path: relative(root, file),
        lines: text.split('\n').length - 1,
        imports: imports.map(([, by, dynamic]) => by ?? dynamic ?? ''),
      };
    });
}

const lib = sourcesIn('lib');
const functions = sourcesIn('functions');
const infra = sourcesIn('infra');

const folderOf = (path: string) => /^lib\/([^/]+)\//.exec(path)?.[1] ?? '';
const layerOf = (folder: string) => LAYERS.findIndex((layer) => layer.some((name) => name === folder));
const target = (source: Source, specifier: string) =>
  specifier.startsWith('.') ? join(dirname(source.path), specifier) : specifier;

/** Every import that a rule forbids, as lines to read. */
function offences(sources: readonly Source[], forbids: (source: Source, imported: string) => boolean): string[] {
  return sources.flatMap((source) =>
    source.imports
      .filter((specifier) => forbids(source, target(source, specifier)))
      .map((specifier) => `${source.path} imports ${specifier}`),
  );
}

/** Which folder of lib imports which other. */
const edges = new Map<string, Set<string>>();
for (const source of lib) {
  const from = folderOf(source.path);
  const others = source.imports.flatMap((specifier) => /^#lib\/(.+)$/.exec(specifier)?.slice(1) ?? []);
  edges.set(from, new Set([...(edges.get(from) ?? []), ...others]));
}

describe('the sources', () => {
  test('are there, and their imports are seen', () => {
    expect(lib.length).toBeGreaterThan(50);
    expect(edges.get('pipeline')).toContain('rendering');
    expect(functions.length).toBeGreaterThan(10);
  });
});

describe('imports point one way', () => {
  test('every folder of lib has its layer', () => {
    expect([...edges.keys()].filter((folder) => layerOf(folder) < 0)).toEqual([]);
  });

  test('no folder of lib imports one of a higher layer', () => {
    const upwards = [...edges].flatMap(([from, others]) =>
      [...others].filter((to) => layerOf(to) < layerOf(from)).map((to) => `lib/${from} imports lib/${to}`),
    );
    expect(upwards).toEqual([]);
  });

  test('no circle runs through folders of lib', () => {
    const circles = (folder: string, path: readonly string[]): string[] => {
      if (path.includes(folder)) return [[...path, folder].join(' -> ')];
      return [...(edges.get(folder) ?? [])].flatMap((next) => circles(next, [...path, folder]));
    };
    expect([...edges.keys()].flatMap((folder) => circles(folder, []))).toEqual([]);
  });

  test('nothing in lib imports functions, infra or test', () => {
    expect(offences(lib, (_, imported) => /^(functions|infra|test)\//.test(imported))).toEqual([]);
  });

  test('functions import lib and each other, never infra or test', () => {
    expect(offences(functions, (_, imported) => /^(infra|test)\//.test(imported))).toEqual([]);
  });

  test('infra imports no function: the host loads them as they are deployed', () => {
    expect(offences(infra, (_, imported) => imported.startsWith('functions/'))).toEqual([]);
  });
});

describe("a folder's index.ts is its only door", () => {
  test('each folder of lib has one', () => {
    const doors = lib.filter(({ path }) => /^lib\/[^/]+\/index\.ts$/.test(path)).map(({ path }) => folderOf(path));
    expect(doors.sort()).toEqual([...edges.keys()].sort());
  });

  test('who is outside of a folder, in lib, functions or infra, goes through #lib/<folder>', () => {
    const around = (source: Source, imported: string) =>
      folderOf(imported) !== '' && folderOf(imported) !== folderOf(source.path);
    expect(offences([...lib, ...functions, ...infra], around)).toEqual([]);
    expect(offences([...lib, ...functions, ...infra], (_, imported) => /^#lib\/.*[/.]/.test(imported))).toEqual([]);
  });

  test('who is inside does not go through it', () => {
    const throughOwn = (source: Source, imported: string) =>
      imported === `#lib/${folderOf(source.path)}` || imported === join('lib', folderOf(source.path), 'index.ts');
    expect(offences(lib, throughOwn)).toEqual([]);
  });
});

describe('the Functions packages', () => {
  test('are known to lib/http, lib/durable and functions alone', () => {
    const knows = (source: Source, imported: string) =>
      FUNCTIONS_PACKAGES.includes(imported) && !['http', 'durable'].includes(folderOf(source.path));
    expect(offences(lib, knows)).toEqual([]);
  });
});

describe('functions/index.ts', () => {
  test('imports every file of functions, once', () => {
    const others = functions
      .map(({ path }) => basename(path))
      .filter((name) => !['index.ts', 'services.ts'].includes(name));
    const imported = functions.find(({ path }) => path === join('functions', 'index.ts'))?.imports ?? [];
    expect([...imported].sort()).toEqual(others.map((name) => `./${name}`).sort());
  });
});

describe('size', () => {
  const all = [...lib, ...functions, ...infra, ...sourcesIn('test')];

  test('no file has more than 400 lines', () => {
    expect(all.filter(({ lines }) => lines > 400).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  test('a front door has at most 60', () => {
    expect(functions.filter(({ lines }) => lines > 60).map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });

  test('half of the product has under 120, nine in ten under 320', () => {
    const lines = [...lib, ...functions, ...infra].map((source) => source.lines).sort((one, other) => one - other);
    expect(lines[Math.floor(lines.length * 0.5)]).toBeLessThan(120);
    expect(lines[Math.floor(lines.length * 0.9)]).toBeLessThan(320);
  });
});
