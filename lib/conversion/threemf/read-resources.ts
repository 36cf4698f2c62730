import { partOfLight } from '../part-of-light.ts';
import { refused } from '../reading/refused.ts';
import type { XmlAttributes } from '../reading/xml.ts';
import type {
  DisplayProperties,
  MultiGroup,
  PropertyGroup,
  TextureResource,
  ThreemfResources,
} from './threemf-model.ts';
import { listOf, numberOf, parseColor } from './xml-values.ts';

/** Reads the elements of a model part that its looks are made of; they stand before what refers to them, and in one another. */
export class ResourceReader implements ThreemfResources {
  readonly groups = new Map<string, PropertyGroup>();
  readonly textures = new Map<string, TextureResource>();
  readonly displays = new Map<string, DisplayProperties[]>();
  /** Whether there is a material without any opacity. */
  hasClear = false;
  #group: PropertyGroup | undefined;
  #display: DisplayProperties[] = [];

  readonly readers: Readonly<Record<string, (attributes: XmlAttributes) => void>> = {
    basematerials: (attributes) =>
      this.#startGroup(attributes, { kind: 'materials', ...displayOf(attributes), entries: [] }),
    colorgroup: (attributes) => this.#startGroup(attributes, { kind: 'colors', ...displayOf(attributes), entries: [] }),
    texture2dgroup: (attributes) => {
      const texture = attributes.get('texid') ?? '';
      this.#startGroup(attributes, { kind: 'texcoords', ...displayOf(attributes), texture, entries: [] });
    },
    compositematerials: (attributes) => {
      const materials = attributes.get('matid') ?? '';
      const indices = listOf(attributes, 'matindices').map(Number);
      this.#startGroup(attributes, { kind: 'composites', ...displayOf(attributes), materials, indices, entries: [] });
    },
    multiproperties: (attributes) => this.#startGroup(attributes, layersOf(attributes)),
    texture2d: (attributes) => {
      this.textures.set(attributes.get('id') ?? '', {
        path: attributes.get('path') ?? '',
        tileStyleU: attributes.get('tilestyleu') ?? 'wrap',
        tileStyleV: attributes.get('tilestylev') ?? 'wrap',
        filter: attributes.get('filter') ?? 'auto',
      });
    },
    base: (attributes) => {
      if (this.#group?.kind !== 'materials') return;
      const name = attributes.get('name') ?? '';
      const [red, green, blue, alpha] = parseColor(attributes.get('displaycolor'));
      // Some programs mean that nothing is known of the opacity: nothing that is made of it would be seen.
      this.hasClear ||= alpha === 0;
      this.#group.entries.push({ name, color: [red, green, blue, alpha || 1] });
    },
    color: (attributes) => {
      if (this.#group?.kind === 'colors') this.#group.entries.push(parseColor(attributes.get('color')));
    },
    tex2coord: (attributes) => {
      if (this.#group?.kind !== 'texcoords') return;
      this.#group.entries.push([numberOf(attributes, 'u') ?? 0, numberOf(attributes, 'v') ?? 0]);
    },
    composite: (attributes) => {
      if (this.#group?.kind === 'composites') this.#group.entries.push(listOf(attributes, 'values').map(Number));
    },
    multi: (attributes) => {
      if (this.#group?.kind === 'multi') this.#group.entries.push(listOf(attributes, 'pindices').map(Number));
    },
    pbmetallicdisplayproperties: (attributes) => this.#startDisplay(attributes),
    pbspeculardisplayproperties: (attributes) => this.#startDisplay(attributes),
    translucentdisplayproperties: (attributes) => this.#startDisplay(attributes),
    pbmetallic: (attributes) => {
      const metallic = partOfLight(numberOf(attributes, 'metallicness') ?? 0);
      this.#display.push({ metallic, roughness: partOfLight(numberOf(attributes, 'roughness') ?? 1) });
    },
    pbspecular: (attributes) => {
      const roughness = 1 - partOfLight(numberOf(attributes, 'glossiness') ?? 0);
      const specular = attributes.get('specularcolor');
      const isUsual = specular === undefined || specular.toLowerCase() === USUAL_SPECULAR;
      this.#display.push({ metallic: 0, roughness, ...(!isUsual && { specular: parseColor(specular) }) });
    },
    translucent: (attributes) => {
      const roughness = partOfLight(numberOf(attributes, 'roughness') ?? 0);
      const [refraction = 1] = listOf(attributes, 'refractiveindex').map(Number);
      this.#display.push({ metallic: 0, roughness, refraction: refraction >= 1 ? refraction : 1 });
    },
  };

  #startGroup(attributes: XmlAttributes, group: PropertyGroup): void {
    this.#group = group;
    this.groups.set(attributes.get('id') ?? '', group);
  }

  #startDisplay(attributes: XmlAttributes): void {
    this.#display = [];
    this.displays.set(attributes.get('id') ?? '', this.#display);
  }
}

/** What plastics and the like reflect, and glTF's materials too. */
const USUAL_SPECULAR = '#383838';

/** More than a package needs: a material, colours and some textures; each costs a look at every entry. */
const MOST_LAYERS = 16;

function layersOf(attributes: XmlAttributes): MultiGroup {
  const groups = listOf(attributes, 'pids');
  if (groups.length > MOST_LAYERS) {
    throw refused(
      `its multiproperties '${attributes.get('id') ?? ''}' have ${groups.length} layers; ${MOST_LAYERS} can be read.`,
    );
  }
  return { kind: 'multi', groups, methods: listOf(attributes, 'blendmethods'), entries: [] };
}

function displayOf(attributes: XmlAttributes): { readonly display?: string } {
  const display = attributes.get('displaypropertiesid');
  return display === undefined ? {} : { display };
}
