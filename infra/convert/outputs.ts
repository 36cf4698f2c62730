import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandError, systemReason } from './command-error.ts';

/** A file that was written. */
export interface OutputFile {
  readonly name: string;
  readonly bytes: number;
}

/**
 * The three files of one conversion in a folder: the GLB, `.info.json`, and `.result.json` last, whose presence says that the others are
 * there. They replace those of an earlier conversion and nothing else.
 */
export class Outputs implements AsyncDisposable {
  /** Where the converter works: on the same disk, so that its asset only has to be renamed. */
  readonly draft: string;
  readonly #directory: string;
  readonly #asset: string;
  readonly #info: string;
  readonly #result: string;

  private constructor(directory: string, name: string, draft: string) {
    this.draft = draft;
    this.#directory = directory;
    this.#asset = join(directory, `${name}.glb`);
    this.#info = join(directory, `${name}.info.json`);
    this.#result = join(directory, `${name}.result.json`);
  }

  /**
   * @param inputs absolute paths of what is read, none of which is overwritten
   * @throws CommandError `would_overwrite`, `no_output`
   */
  static async open(directory: string, name: string, inputs: readonly string[]): Promise<Outputs> {
    return await writing(directory, async () => {
      await makeFolder(directory);
      const draft = await mkdtemp(join(directory, '.convert-'));
      const outputs = new Outputs(directory, name, draft);
      try {
        await outputs.#refuseToOverwrite(inputs);
      } catch (error) {
        await outputs[Symbol.asyncDispose]();
        throw error;
      }
      return outputs;
    });
  }

  /** @throws CommandError `no_output` */
  async publish(asset: string, info: unknown, result: unknown): Promise<OutputFile[]> {
    try {
      return await writing(this.#directory, async () => {
        await rm(this.#result, { force: true });
        await rename(asset, this.#asset);
        await this.#write(this.#info, info);
        await this.#write(this.#result, result);
        return await Promise.all([this.#asset, this.#info, this.#result].map(describe));
      });
    } catch (error) {
      await Promise.all([this.#asset, this.#info].map((path) => rm(path, { force: true })));
      throw error;
    }
  }

  /**
   * After a failure only this is left, also of an earlier conversion: nobody shall take its asset for this one's.
   * @throws CommandError `no_output`
   */
  async publishFailure(result: unknown): Promise<OutputFile[]> {
    return await writing(this.#directory, async () => {
      await Promise.all([this.#asset, this.#info].map((path) => rm(path, { force: true })));
      await this.#write(this.#result, result);
      return [await describe(this.#result)];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.draft, { recursive: true, force: true });
  }

  async #refuseToOverwrite(inputs: readonly string[]): Promise<void> {
    const read = new Set((await Promise.all(inputs.map(identity))).filter((id) => id !== undefined));
    const earlier = (await identity(this.#result)) !== undefined;
    for (const path of [this.#asset, this.#info, this.#result]) {
      const id = await identity(path);
      if (id === undefined) continue;
      if (read.has(id)) throw overwriting(path, 'is a file of the model itself');
      if (!earlier) throw overwriting(path, 'is there already and was not written by a conversion');
    }
  }

  async #write(path: string, document: unknown): Promise<void> {
    const aside = join(this.draft, basename(path));
    await writeFile(aside, `${JSON.stringify(document, null, 2)}\n`);
    await rename(aside, path);
  }
}

/** Node's recursive `mkdir` never comes back from a folder that refuses new ones as if it were not there, as those of the kernel do. */
async function makeFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return;
  const above = dirname(path);
  if (above !== path) await makeFolder(above);
  await mkdir(path).catch(async (error: unknown) => {
    // Another command may have been as quick.
    if (!(await stat(path).catch(() => undefined))?.isDirectory()) throw error;
  });
}

function overwriting(path: string, why: string): CommandError {
  return new CommandError('would_overwrite', `${path} ${why}: give another folder with --out.`);
}

/** What is one file under however many names and links. */
async function identity(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && `${found.dev}:${found.ino}`;
}

async function describe(path: string): Promise<OutputFile> {
  return { name: basename(path), bytes: (await stat(path)).size };
}

async function writing<Result>(directory: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    const reason = systemReason(error);
    if (reason === undefined) throw error;
    throw new CommandError('no_output', `The outputs cannot be written to ${directory}: ${reason}.`, { cause: error });
  }
}
