import type { ModelFile } from '../../model-file.ts';
import type { WrittenReference } from '../../model-formats.ts';
import { FileWindow } from '../../reading/file-window.ts';
import { refused } from '../../reading/refused.ts';
import { storedPaths } from '../../reading/stored-paths.ts';

const HEADER_BYTES = 6;
export const MAIN = 0x4d4d;
const [EDITOR, MATERIAL, MAP_FILE] = [0x3d3d, 0xafff, 0xa300];
const [OBJECT, TRIANGLES] = [0x4000, 0x4100];
/** Maps of a material's colours, highlights, bumps and so on, each with the name of its file. */
const maps: ReadonlySet<number> = new Set([0xa200, 0xa204, 0xa210, 0xa220, 0xa230, 0xa33a, 0xa33c, 0xa33d, 0xa33e]);
const LONGEST_NAME = 512;

/**
 * Goes through the chunks of a 3D Studio file and finds the images that it names.
 * @throws ConversionError `input_refused` for a file that was cut off
 */
export async function scan3ds(file: ModelFile): Promise<{ textures: string[] }> {
  const scanner = new Scanner(file);
  await scanner.scan();
  return { textures: scanner.textures };
}

class Scanner {
  readonly textures: string[] = [];
  readonly #window: FileWindow;

  constructor(file: ModelFile) {
    this.#window = new FileWindow(file);
  }

  /** Nothing of the model follows its main chunk. */
  async scan(): Promise<void> {
    const { end } = await this.#readHeader(0);
    await this.#walk(HEADER_BYTES, end);
  }

  async #walk(start: number, end: number): Promise<void> {
    for (let at = start; at + HEADER_BYTES <= end; ) {
      const chunk = await this.#readHeader(at);
      const content = at + HEADER_BYTES;
      if (chunk.id === MAP_FILE) this.textures.push(await this.#text(content, chunk.end));
      else if (chunk.id === OBJECT) await this.#walk(await this.#afterText(content, chunk.end), chunk.end);
      else if (isContainer(chunk.id)) await this.#walk(content, chunk.end);
      at = chunk.end;
    }
  }

  async #readHeader(at: number): Promise<{ id: number; end: number }> {
    const header = await this.#window.at(at, HEADER_BYTES, 'a chunk');
    const end = at + header.getUint32(2, true);
    if (end < at + HEADER_BYTES) throw refused(`the 3DS is damaged: the chunk at byte ${at} has no length.`);
    if (end <= this.#window.size) return { id: header.getUint16(0, true), end };
    throw refused(
      `the 3DS was cut off or is damaged: the chunk at byte ${at} should end at byte ${end}, but the file has ${this.#window.size}.`,
    );
  }

  async #text(start: number, end: number): Promise<string> {
    const text = await this.#window.text(start, Math.min(end - start, LONGEST_NAME));
    return text.split('\0')[0] ?? '';
  }

  async #afterText(start: number, end: number): Promise<number> {
    const view = await this.#window.at(start, Math.min(end - start, LONGEST_NAME), 'a name');
    for (let i = 0; i < view.byteLength; i += 1) if (view.getUint8(i) === 0) return start + i + 1;
    return end;
  }
}

export function references3ds({ textures }: { textures: readonly string[] }): WrittenReference[] {
  const names = textures.filter((name) => name !== '');
  return names.map((uri) => ({ kind: 'texture', uri, paths: storedPaths(uri) }));
}

function isContainer(id: number): boolean {
  return id === EDITOR || id === MATERIAL || id === TRIANGLES || maps.has(id);
}
