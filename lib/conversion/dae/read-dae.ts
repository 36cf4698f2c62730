import type { ModelFile } from '../model-file.ts';
import { refused } from '../reading/refused.ts';
import { scanXml, type XmlAttributes, type XmlHandler } from '../reading/xml.ts';
import { DaeDocument } from './dae-document.ts';
import { DaeElement } from './dae-element.ts';
import { documentOf } from './dae-scan.ts';
import { NumberList } from './number-list.ts';

/** Elements that a document may have: those of a hundred thousand meshes. */
const MOST_ELEMENTS = 5_000_000;

/** Elements that say nothing of looks, shape or motion here. */
const unread: ReadonlySet<string> = new Set([
  ...['profile_CG', 'profile_GLSL', 'profile_GLES', 'profile_GLES2', 'profile_BRIDGE', 'spline', 'brep'],
  ...['library_cameras', 'library_lights', 'library_force_fields', 'library_formulas', 'library_joints'],
  ...['library_physics_materials', 'library_physics_models', 'library_physics_scenes'],
  ...['library_kinematics_models', 'library_kinematics_scenes', 'library_articulated_systems'],
]);

/** Elements that others refer to. */
const referred: ReadonlySet<string> = new Set([
  ...['node', 'visual_scene', 'geometry', 'controller', 'animation', 'sampler', 'material', 'effect', 'image'],
  ...['source', 'vertices', 'float_array', 'int_array'],
]);

/** Elements of long lists of numbers, and whether these are whole ones. */
const lists: Readonly<Record<string, boolean>> = {
  float_array: false,
  int_array: false,
  p: true,
  h: true,
  v: true,
  vcount: true,
};

/**
 * Reads a COLLADA document as a tree in which long lists are numbers already.
 * @throws ConversionError `input_refused`, with the line
 */
export async function readDae(file: ModelFile): Promise<DaeElement> {
  const builder = new TreeBuilder();
  await scanXml(file, builder);
  if (builder.root === undefined) throw refused('it is an XML without any element.');
  return builder.root;
}

class TreeBuilder implements XmlHandler {
  root: DaeElement | undefined;
  readonly #document = new DaeDocument();
  readonly #open: DaeElement[] = [];
  #elements = 0;
  /** Tags that are open within one that is not read. */
  #unread = 0;
  #text = '';

  open(name: string, attributes: XmlAttributes, line: number): void {
    const parent = this.#open.at(-1);
    if (this.#unread > 0 || unread.has(name)) {
      this.#unread += 1;
      return;
    }
    if (parent === undefined && name !== 'COLLADA')
      throw refused(`it is an XML, but no COLLADA document: it begins with <${name}>.`);
    this.#open.push((parent && sameList(parent, name)) ?? this.#create(name, attributes, line, parent));
    this.#text = '';
  }

  text(piece: string): void {
    const element = this.#open.at(-1);
    if (element === undefined || this.#unread > 0) return;
    if (element.list === undefined) this.#text += piece;
    else checkWord(element, element.list.add(piece));
  }

  close(): void {
    if (this.#unread > 0) {
      this.#unread -= 1;
      return;
    }
    const element = this.#open.pop();
    if (element?.list === undefined) {
      // A part of a text holds the whole of it in memory.
      if (element !== undefined && /\S/.test(this.#text)) element.text = Buffer.from(this.#text.trim()).toString();
    } else checkWord(element, element.list.endRun());
    this.#text = '';
  }

  #create(name: string, attributes: XmlAttributes, line: number, parent: DaeElement | undefined): DaeElement {
    this.#elements += 1;
    if (this.#elements > MOST_ELEMENTS) throw refused(`line ${line}: it has more than ${MOST_ELEMENTS} elements.`);
    const element = new DaeElement(name, attributes.copy(), this.#document, line);
    const isInteger = lists[name];
    if (isInteger !== undefined) element.list = new NumberList(isInteger);
    const id = referred.has(name) ? attributes.get('id') : undefined;
    if (id !== undefined) this.#document.add(Buffer.from(id).toString(), element);
    const other = documentOf(name, attributes);
    if (other !== undefined) this.#document.uris.add(Buffer.from(other).toString());
    if (name === 'material') this.#document.materials.push(element);
    if (name === 'morph') this.#document.morphs.push(element);
    if (parent === undefined) this.root = element;
    else parent.append(element);
    return element;
  }
}

/** Each polygon has a list of its own in some documents: those that follow each other are read as runs of one. */
function sameList(parent: DaeElement, name: string): DaeElement | undefined {
  const last = name === 'p' || name === 'h' ? parent.children.at(-1) : undefined;
  return last?.name === name ? last : undefined;
}

function checkWord(element: DaeElement, wrong: string | undefined): void {
  if (wrong !== undefined) throw element.refuse(`has '${wrong}', which is no number.`);
}
