import { copyFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build as bundle } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Some packages inside an ES module bundle are CommonJS and ask for Node's own modules by `require`. */
const REQUIRE_IN_ESM = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const COMMON: BuildOptions = { absWorkingDir: ROOT, bundle: true, logLevel: 'warning', sourcemap: true };
const FOR_NODE: BuildOptions = { ...COMMON, platform: 'node', target: 'node22' };

/** Builds what is deployed: the app in one file, the converter beside it, and the session host with its viewer page. */
export async function build(): Promise<void> {
  await rm(`${ROOT}/dist`, { recursive: true, force: true });
  await Promise.all([
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
      banner: { js: REQUIRE_IN_ESM },
    }),
    bundle({
      ...FOR_NODE,
      entryPoints: ['infra/session-host/main.ts'],
      outfile: 'dist/session-host/main.mjs',
      format: 'esm',
      banner: { js: REQUIRE_IN_ESM },
    }),
    bundle({
      ...COMMON,
      platform: 'browser',
      target: 'es2022',
      minify: true,
      entryPoints: ['infra/session-host/viewer/viewer.ts'],
      outfile: 'dist/session-host/viewer/viewer.js',
      format: 'esm',
    }),
  ]);
  await copyFile(`${ROOT}/infra/session-host/viewer/index.html`, `${ROOT}/dist/session-host/viewer/index.html`);
}

if (import.meta.main) await build();
