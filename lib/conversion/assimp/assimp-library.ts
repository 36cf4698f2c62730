import { ConversionError } from '../conversion-error.ts';
import { refused } from '../reading/refused.ts';

/** A file in the library's own file system. */
export interface AssimpInput {
  /** Its extension says which importer is asked first. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** `glb2` is glTF 2.0; `assjson` has every value of the library's own scene, as text. */
export type AssimpOutput = 'glb2' | 'assjson';

/** WebAssembly of 32 bits as the library was built: 2 GiB, of which that much is taken where it ran out. */
const FULL_HEAP = 1.6 * 2 ** 30;

/** Turns models of many formats into another. One instance converts one model after the other. */
export class AssimpLibrary {
  readonly #library: Awaited<ReturnType<typeof load>>;

  private constructor(library: Awaited<ReturnType<typeof load>>) {
    this.#library = library;
  }

  static async load(): Promise<AssimpLibrary> {
    return new AssimpLibrary(await load());
  }

  /**
   * @param what names the format in messages
   * @throws ConversionError `input_refused` for what the library cannot read or write anew, `memory`
   */
  convert({ name, bytes }: AssimpInput, output: AssimpOutput, what: string): Uint8Array<ArrayBuffer> {
    const library = this.#library;
    try {
      const files = new library.FileList();
      files.AddFile(name, bytes);
      const result = library.ConvertFileList(files, output);
      files.delete();
      if (result.IsSuccess() && result.FileCount() > 0) return result.GetFile(0).GetContent().slice();
      result.delete();
      throw this.#isFull ? outOfMemory() : unreadable(what);
    } catch (error) {
      if (error instanceof ConversionError) throw error;
      throw this.#isFull ? outOfMemory() : unreadable(what, error);
    }
  }

  get #isFull(): boolean {
    return this.#library.HEAPU8.length > FULL_HEAP;
  }
}

async function load() {
  const { default: loadAssimp } = await import('assimpjs');
  return await loadAssimp();
}

function outOfMemory(): ConversionError {
  const message =
    'The model needs more memory than its importer can have (2 GiB). Split or simplify it, or export it as glTF.';
  return new ConversionError('memory', message);
}

/** The library does not say what it dislikes. What can be said of a damaged file is said by those who look into it before. */
function unreadable(what: string, error?: unknown): ConversionError {
  const why = error instanceof Error ? ` (${error.message})` : '';
  return refused(
    `its content is damaged, or is ${what} of a kind that the importer does not know${why}. Export it again, or as glTF.`,
  );
}
