import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ModelFiles } from './shapes.ts';

/** A temporary folder with a model's files and room for outputs, gone when it is disposed of. */
export interface ModelFolder extends AsyncDisposable {
  /** Where the model's files lie. */
  readonly input: string;
  /** Does not exist yet. */
  readonly output: string;
}

export async function modelFolder(files: ModelFiles): Promise<ModelFolder> {
  const root = await mkdtemp(join(tmpdir(), 'model-'));
  const input = join(root, 'input');
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(input, path)), { recursive: true });
    await writeFile(join(input, path), bytes);
  }
  return {
    input,
    output: join(root, 'output'),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}
