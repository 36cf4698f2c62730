import type { ModelFile } from '../model-file.ts';
import { LineFile } from '../reading/line-file.ts';
import { inUtf8 } from '../reading/text-encoding.ts';

/** A material as an MTL has it; only what it says. */
export interface MtlMaterial {
  /** Numbers by their word, in lower case. */
  readonly numbers: ReadonlyMap<string, readonly number[]>;
  /** Images by the word of their map, in lower case. */
  readonly maps: ReadonlyMap<string, MtlMap>;
}

export interface MtlMap {
  /** As it is written. */
  readonly uri: string;
  readonly offset: readonly [number, number];
  readonly scale: readonly [number, number];
  /** How strong bumps are. */
  readonly strength: number;
}

const numberWords: ReadonlySet<string> = new Set(['kd', 'ks', 'ke', 'ns', 'd', 'tr', 'pr', 'pm', 'illum']);
const mapWords: ReadonlySet<string> = new Set([
  'map_kd',
  'map_ke',
  'map_d',
  'map_pr',
  'map_pm',
  'map_bump',
  'bump',
  'norm',
  'map_ka',
  'map_ao',
]);

/** Reads a file of materials. What says nothing to us or is written wrongly is passed over. */
export async function readMtl(file: ModelFile): Promise<Map<string, MtlMaterial>> {
  const materials = new Map<string, MtlMaterial>();
  let numbers = new Map<string, readonly number[]>();
  let maps = new Map<string, MtlMap>();
  const lines = new LineFile(await inUtf8(file), { comments: '#' });
  while (lines.advance() || (await lines.more())) {
    const word = lines.word().toLowerCase();
    const rest = lines.restOfLine();
    if (word === 'newmtl') {
      numbers = new Map();
      maps = new Map();
      materials.set(rest, { numbers, maps });
    } else if (numberWords.has(word)) {
      const given = numbersOf(rest);
      if (given.length > 0) numbers.set(word, given);
    } else if (mapWords.has(word)) {
      const map = parseMap(rest);
      if (map !== undefined) maps.set(word, map);
    }
  }
  return materials;
}

/** Those before whatever else, a comment perhaps, follows. */
function numbersOf(text: string): number[] {
  const numbers = text.split(/\s+/).map((word) => (word === '' ? Number.NaN : Number(word)));
  const end = numbers.findIndex((number) => !Number.isFinite(number));
  return end < 0 ? numbers : numbers.slice(0, end);
}

/** The images that a material names. */
export function mapsOf({ maps }: MtlMaterial): string[] {
  return [...maps.values()].map(({ uri }) => uri);
}

/** Options before a map's name, and how many words each has; some have up to three numbers. */
const optionWords: Readonly<Record<string, number>> = {
  '-blendu': 1,
  '-blendv': 1,
  '-boost': 1,
  '-bm': 1,
  '-cc': 1,
  '-clamp': 1,
  '-colorspace': 1,
  '-imfchan': 1,
  '-mm': 2,
  '-texres': 1,
  '-type': 1,
};
const vectorOptions: ReadonlySet<string> = new Set(['-o', '-s', '-t']);

function parseMap(text: string): MtlMap | undefined {
  const map = { uri: '', offset: [0, 0] as [number, number], scale: [1, 1] as [number, number], strength: 1 };
  let rest = text.trim();
  while (rest.startsWith('-')) {
    const [option = ''] = rest.split(/\s+/, 1);
    const count = vectorOptions.has(option) ? leadingNumbers(rest.slice(option.length)) : optionWords[option];
    if (count === undefined) break;
    takeOption(
      map,
      option,
      rest
        .split(/\s+/)
        .slice(1, 1 + count)
        .map(Number),
    );
    rest = afterWords(rest, 1 + count);
  }
  map.uri = rest.replace(/^"(.*)"$/, '$1');
  return map.uri === '' ? undefined : map;
}

function takeOption(
  map: { offset: [number, number]; scale: [number, number]; strength: number },
  option: string,
  numbers: readonly number[],
): void {
  const [u = 0, v] = numbers;
  if (!numbers.every(Number.isFinite)) return;
  if (option === '-o') map.offset = [u, v ?? 0];
  if (option === '-s') map.scale = [u, v ?? u];
  if (option === '-bm') map.strength = u;
}

function leadingNumbers(text: string): number {
  const words = text.trim().split(/\s+/).slice(0, 3);
  const end = words.findIndex((word) => !/^[-+]?(\d|\.\d)[\d.e+-]*$/i.test(word));
  return end < 0 ? words.length : end;
}

/** What follows after so many words; a name may have blanks in it. */
function afterWords(text: string, count: number): string {
  return text.replace(new RegExp(`^(?:\\S+\\s*){${count}}`), '');
}
