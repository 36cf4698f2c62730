import { fileOf } from '../reading/text-encoding.ts';
import { scanXml, type XmlAttributes } from '../reading/xml.ts';
import { GREY, type Paint, packed } from './paint.ts';
import type { ThreemfObject } from './threemf-model.ts';
import type { ThreemfPackage } from './threemf-package.ts';
import { numberOf, parseColor } from './xml-values.ts';

/** What a slicer says of an object, or of a part of it. */
interface SlicedPart {
  /** The number of its filament, from 1; undefined for that of the whole. */
  filament: number | undefined;
  /** False for what changes how something is printed, and is not printed itself. */
  isPrinted: boolean;
}

interface SlicedObject extends SlicedPart {
  /** Bambu Studio and its kin: by the number of the object that a component refers to. */
  readonly parts: Map<string, SlicedPart>;
  /** PrusaSlicer: pieces of one mesh. */
  readonly volumes: (SlicedPart & { readonly first: number; readonly last: number })[];
}

/** Filaments by number for the triangles of one object. */
export interface Printed {
  /** Its entries are the filaments. */
  readonly paint: Paint;
  /** From 1; 0 for none, `NOT_PRINTED` for what is left out. */
  readonly filamentOf: (triangle: number) => number;
}

export const NOT_PRINTED = -1;

/** What slicers store beside a model: which filament each thing is printed with, and the filaments' colours. */
export class SlicerSettings {
  readonly #objects: ReadonlyMap<string, SlicedObject>;
  readonly #paint: Paint;
  readonly #count: number;

  private constructor(objects: ReadonlyMap<string, SlicedObject>, colors: readonly string[]) {
    this.#objects = objects;
    this.#count = colors.length;
    const shown = colors.map((color) => (/^#[\da-f]{6}/i.test(color) ? parseColor(color.slice(0, 7)) : GREY));
    this.#paint = {
      name: (entry) => `filament ${entry + 1}`,
      colors: packed(shown),
      isFlat: true,
      isTranslucent: false,
    };
  }

  /** @throws ConversionError `input_refused` for files of the package that cannot be unpacked */
  static async read({ read }: ThreemfPackage): Promise<SlicerSettings> {
    const objects = new Map<string, SlicedObject>();
    for (const path of ['Metadata/model_settings.config', 'Metadata/Slic3r_PE_model.config']) {
      const bytes = await read(path);
      if (bytes !== undefined) await readSettings(bytes, objects);
    }
    const project = await read('Metadata/project_settings.config');
    const print = await read('Metadata/Slic3r_PE.config');
    const colors = project === undefined ? printColors(print) : projectColors(project);
    return new SlicerSettings(objects, colors);
  }

  /** The filament of an object that is built. */
  wholeFilament(object: string): number {
    return this.#objects.get(object)?.filament ?? 1;
  }

  /** The part of an object that a component makes; undefined where nothing is said of it. */
  partOf(whole: string, part: string): SlicedPart | undefined {
    return this.#objects.get(whole)?.parts.get(part);
  }

  /** @param hasVolumes where the object stands in the package's own model */
  printed(object: ThreemfObject, filament: number, hasVolumes: boolean): Printed | undefined {
    const volumes = hasVolumes ? (this.#objects.get(object.id)?.volumes ?? []) : [];
    if (volumes.every(({ isPrinted }) => isPrinted) && this.#count === 0) return undefined;
    const count = object.triangles.length / 3;
    const numbers = new Int16Array(count).fill(this.#known(filament));
    let next = 0;
    for (const { first, last, filament: own, isPrinted } of volumes) {
      // They follow one another; others would be a way to keep this busy.
      if (first < next) continue;
      numbers.fill(isPrinted ? this.#known(own ?? filament) : NOT_PRINTED, first, last + 1);
      next = last + 1;
    }
    const painted = object.painted.values;
    const filamentOf = (triangle: number) => {
      const number = numbers[triangle] ?? 0;
      return number === NOT_PRINTED ? number : this.#known(painted[triangle] ?? 0) || number;
    };
    return { paint: this.#paint, filamentOf };
  }

  #known(filament: number): number {
    return filament <= this.#count ? filament : 0;
  }
}

/** Settings that cannot be read are no reason not to show their model. */
async function readSettings(bytes: Uint8Array, objects: Map<string, SlicedObject>): Promise<void> {
  await scanXml(fileOf(bytes), new SettingsReader(objects)).catch(() => undefined);
}

class SettingsReader {
  readonly #objects: Map<string, SlicedObject>;
  #object: SlicedObject | undefined;
  #part: SlicedPart | undefined;

  constructor(objects: Map<string, SlicedObject>) {
    this.#objects = objects;
  }

  open(name: string, attributes: XmlAttributes): void {
    if (name === 'object') {
      this.#object = { filament: undefined, isPrinted: true, parts: new Map(), volumes: [] };
      this.#part = this.#object;
      this.#objects.set(attributes.get('id') ?? '', this.#object);
    } else if (name === 'part' && this.#object !== undefined) {
      const isPrinted = (attributes.get('subtype') ?? 'normal_part') === 'normal_part';
      this.#part = { filament: undefined, isPrinted };
      this.#object.parts.set(attributes.get('id') ?? '', this.#part);
    } else if (name === 'volume' && this.#object !== undefined) {
      const [first = 0, last = -1] = ['firstid', 'lastid'].map((id) => numberOf(attributes, id));
      const volume = { filament: undefined, isPrinted: true, first: Math.max(0, first), last: Math.max(-1, last) };
      this.#object.volumes.push(volume);
      this.#part = volume;
    } else if (name === 'metadata' && this.#part !== undefined) {
      say(this.#part, attributes.get('key') ?? '', attributes.get('value') ?? '');
    }
  }

  close(name: string): void {
    if (name === 'part' || name === 'volume') this.#part = this.#object;
    if (name !== 'object') return;
    this.#object = undefined;
    this.#part = undefined;
  }
}

function say(part: SlicedPart, key: string, value: string): void {
  if (key === 'extruder' && Number(value) > 0) part.filament = Math.trunc(Number(value));
  if (key === 'modifier' && value === '1') part.isPrinted = false;
  if (key === 'volume_type') part.isPrinted = value === 'ModelPart';
}

/** More filaments than any printer holds. */
const MOST_FILAMENTS = 64;

function projectColors(bytes: Uint8Array): string[] {
  const settings = parsed(new TextDecoder().decode(bytes));
  const isObject = typeof settings === 'object' && settings !== null && 'filament_colour' in settings;
  const colors = isObject ? settings.filament_colour : undefined;
  return Array.isArray(colors) ? colors.slice(0, MOST_FILAMENTS).map(String) : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Colours of extruders stand above those of their filaments. */
function printColors(bytes: Uint8Array | undefined): string[] {
  const text = new TextDecoder().decode(bytes);
  const listed = (name: string) => {
    const line = new RegExp(`^; ${name} = (.*)$`, 'm').exec(text)?.[1] ?? '';
    return line.split(';').map((color) => color.replaceAll('"', '').trim());
  };
  const extruders = listed('extruder_colour');
  const filaments = listed('filament_colour');
  const colors = Array.from(
    { length: Math.max(extruders.length, filaments.length) },
    (_, i) => extruders[i] || filaments[i] || '',
  );
  return colors.some((color) => color !== '') ? colors.slice(0, MOST_FILAMENTS) : [];
}
