import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle, type OutputFile } from 'esbuild';
import { sessionHostBuilds } from './session-host/build.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Some packages inside an ES module bundle are CommonJS: they ask for Node's own modules by `require`, and for where they lie. */
const COMMONJS_IN_ESM =
  "import { createRequire as createBundleRequire } from 'node:module';" +
  'const require = createBundleRequire(import.meta.url), __dirname = import.meta.dirname;';

/** WebAssembly that the converter's packages read from the folder that their code lies in. */
const CONVERTER_WASM = [
  'assimpjs/dist/assimpjs.wasm',
  'draco3dgltf/draco_decoder_gltf.wasm',
  'draco3dgltf/draco_encoder.wasm',
  'ktx2-encoder/dist/basis/basis_encoder.wasm',
  'laz-perf/lib/node/laz-perf.wasm',
  'mikktspace/dist/main/mikktspace_main_bg.wasm',
];

const COMMON = { absWorkingDir: ROOT, bundle: true, logLevel: 'warning', sourcemap: true, write: false } as const;
const FOR_NODE = { ...COMMON, platform: 'node', target: 'node22' } as const;

/** Builds what is deployed: the app in one file, the converter beside it, and the session host with its viewer page. */
export async function build(): Promise<void> {
  const bundles = await Promise.all([
    bundle({
      ...FOR_NODE,
      entryPoints: ['functions/index.ts'],
      outfile: 'dist/functions/index.cjs',
      format: 'cjs',
      external: ['@azure/functions-core'],
      banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
      define: { 'import.meta.url': 'importMetaUrl' },
    }),
    bundle({
      ...FOR_NODE,
      entryPoints: ['lib/conversion/converter-process.ts'],
      outfile: 'dist/functions/converter.mjs',
      format: 'esm',
      banner: { js: COMMONJS_IN_ESM },
      // Native: it is loaded, from the packages beside the app, for models with textures alone.
      external: ['sharp'],
      alias: { 'ndarray-pixels': './infra/lazy-pixels.ts' },
    }),
    ...sessionHostBuilds(`${ROOT}/dist/session-host`).map((options) => bundle({ ...COMMON, ...options })),
  ]);
  for (const path of CONVERTER_WASM) {
    const contents = await readFile(`${ROOT}/node_modules/${path}`);
    await put({ path: `${ROOT}/dist/functions/${basename(path)}`, contents });
  }
  await Promise.all(bundles.flatMap(({ outputFiles = [] }) => outputFiles).map(put));
}

/** File by file in one move each, so that a stack which runs from an earlier build never finds a file missing or half written. */
async function put({ path, contents }: Pick<OutputFile, 'path' | 'contents'>): Promise<void> {
  const aside = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(aside, contents);
  await rename(aside, path);
}

if (import.meta.main) await build();
