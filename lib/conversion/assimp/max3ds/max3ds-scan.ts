import type { ModelFile } from '../../model-file.ts';
import type { WrittenReference } from '../../model-formats.ts';
import { FileWindow } from '../../reading/file-window.ts';
import { refused } from '../../reading/refused.ts';
import { storedPaths } from '../../reading/stored-paths.ts';
import { EDITOR, KEYFRAMER } from './max3ds-chunks.ts';

const HEADER_BYTES = 6;
const [MATERIAL, MATERIAL_NAME, MAP_FILE, COLOUR_MAP] = [0xafff, 0xa000, 0xa300, 0xa200];
const [OBJECT, TRIANGLES] = [0x4000, 0x4100];
/** Maps of a material's colours, highlights, bumps and so on, each with the name of its file. */
const maps: ReadonlySet<number> = new Set([0xa200, 0xa204, 0xa210, 0xa220, 0xa230, 0xa33a, 0xa33c, 0xa33d, 0xa33e]);
/** How a map lies on a surface: its scale and offset along each axis. */
const placements: ReadonlyMap<number, keyof MapPlacement> = new Map([
  [0xa356, 'scaleU'],
  [0xa354, 'scaleV'],
  [0xa358, 'offsetU'],
  [0xa35a, 'offsetV'],
]);
const LONGEST_NAME = 512;

/** How a map lies on a surface, with heights that are counted from the bottom. */
interface MapPlacement {
  scaleU?: number;
  scaleV?: number;
  offsetU?: number;
  offsetV?: number;
}

export interface Max3dsScan {
  readonly textures: readonly string[];
  /** Of the colour map of each material, by the material's name. */
  readonly placements: ReadonlyMap<string, MapPlacement>;
  /** As many as the file lacks of what it says it has; all of its chunks are there. */
  readonly missingBytes: number;
}

/**
 * Goes through the chunks of a 3D Studio file and finds the images that it names.
 * @throws ConversionError `input_refused` for a file that was cut off
 */
export async function scan3ds(file: ModelFile): Promise<Max3dsScan> {
  const scanner = new Scanner(file);
  await scanner.scan();
  return scanner;
}

class Scanner {
  readonly textures: string[] = [];
  readonly placements = new Map<string, MapPlacement>();
  missingBytes = 0;
  readonly #window: FileWindow;
  #material = '';

  constructor(file: ModelFile) {
    this.#window = new FileWindow(file);
  }

  /** Nothing of the model follows its main chunk. Some programs write a size for it that is larger than the file, and all else right. */
  async scan(): Promise<void> {
    const header = await this.#window.at(0, HEADER_BYTES, 'its main chunk');
    const end = header.getUint32(2, true);
    this.missingBytes = Math.max(0, end - this.#window.size);
    await this.#walk(HEADER_BYTES, Math.min(end, this.#window.size), false);
  }

  async #walk(start: number, end: number, isColour: boolean): Promise<void> {
    for (let at = start; at + HEADER_BYTES <= end; ) {
      const chunk = await this.#readHeader(at);
      const content = at + HEADER_BYTES;
      if (chunk.id === MAP_FILE) this.textures.push(await this.#text(content, chunk.end));
      else if (chunk.id === MATERIAL_NAME) this.#material = await this.#text(content, chunk.end);
      else if (chunk.id === OBJECT) await this.#walk(await this.#afterText(content, chunk.end), chunk.end, false);
      else if (isContainer(chunk.id)) await this.#walk(content, chunk.end, chunk.id === COLOUR_MAP);
      else if (isColour) await this.#readPlacement(chunk.id, content, chunk.end);
      at = chunk.end;
    }
  }

  async #readPlacement(id: number, start: number, end: number): Promise<void> {
    const name = placements.get(id);
    if (name === undefined || end - start < 4) return;
    const value = (await this.#window.at(start, 4, 'a number')).getFloat32(0, true);
    const placement = this.placements.get(this.#material) ?? {};
    placement[name] = value;
    this.placements.set(this.#material, placement);
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
  return id === EDITOR || id === KEYFRAMER || id === MATERIAL || id === TRIANGLES || maps.has(id);
}
