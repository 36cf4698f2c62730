import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Decoders of compressed geometry and textures, which the viewer fetches when an asset needs them. */
const DECODERS = [
  'draco/gltf/draco_wasm_wrapper.js',
  'draco/gltf/draco_decoder.wasm',
  'basis/basis_transcoder.js',
  'basis/basis_transcoder.wasm',
];

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
      entryPoints: ['viewer.ts', 'basis-worker.ts', 'viewer.css', 'index.html'].map((file) =>
        source(`./viewer/${file}`),
      ),
      outdir: join(outputDirectory, 'viewer'),
      loader: { '.html': 'copy' },
      bundle: true,
      platform: 'browser',
      format: 'esm',
      target: 'es2022',
      minify: true,
    },
    {
      entryPoints: DECODERS.map((file) => `three/addons/libs/${file}`),
      outdir: join(outputDirectory, 'viewer/decoders'),
      entryNames: '[name]',
      bundle: true,
      loader: { '.js': 'copy', '.wasm': 'copy' },
    },
  ];
}
