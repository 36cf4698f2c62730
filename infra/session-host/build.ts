import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** How the session host is bundled: one program that needs no packages beside it, and its viewer's files in `viewer/`. */
export function sessionHostBuilds(outputDirectory: string): readonly BuildOptions[] {
  return [
    {
      entryPoints: { main: source('./main.ts') },
      outdir: outputDirectory,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node22',
    },
    {
      entryPoints: ['viewer.ts', 'viewer.css', 'index.html'].map((file) => source(`./viewer/${file}`)),
      outdir: join(outputDirectory, 'viewer'),
      loader: { '.html': 'copy' },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      target: 'es2022',
      minify: true,
    },
  ];
}
