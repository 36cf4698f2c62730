import type { ModelFile } from '../../model-file.ts';
import { refused } from '../../reading/refused.ts';
import { type FbxData, type FbxFile, type FbxNode, type FbxValue, isWanted } from './fbx-node.ts';

const CHUNK_BYTES = 2 ** 20;
/** As much of a line as is looked at: longer ones are data. */
const LONGEST_LINE = 2 ** 16;
const DEEPEST = 64;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A record that is still being read. */
type OpenNode = Mutable<FbxNode> & { readonly values: FbxValue[]; readonly children: FbxNode[] };

interface Open {
  readonly name: string;
  /** Undefined for what nobody wants. */
  readonly node: OpenNode | undefined;
  /** The numbers that lie in it, of which the end is not known yet. */
  array?: Mutable<FbxData>;
}

/** A line with its place in the file. */
interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Walks through an FBX that is text, line by line.
 * @throws ConversionError `input_refused` for a file that was cut off
 */
export async function readTextFbx(file: ModelFile): Promise<FbxFile> {
  const walker = new Walker();
  let held = '';
  let start = 0;
  for (let offset = 0; offset < file.size; ) {
    const chunk = await file.read(offset, CHUNK_BYTES);
    if (chunk.length === 0) break;
    // One character for each byte, so that places in the text are places in the file.
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    let from = 0;
    for (const { index } of text.matchAll(/[\r\n]/g)) {
      walker.take({ text: abridge(held + text.slice(from, index)), start, end: offset + index });
      held = '';
      from = index + 1;
      start = offset + from;
    }
    held = abridge(held + text.slice(from));
    offset += chunk.length;
  }
  walker.take({ text: held, start, end: file.size });
  return { version: walker.version(), isBinary: false, nodes: walker.end(), unpackedBytes: file.size };
}

/** The ends of a long line. */
function abridge(line: string): string {
  if (line.length <= LONGEST_LINE) return line;
  return line.slice(0, LONGEST_LINE / 2) + line.slice(-LONGEST_LINE / 4);
}

class Walker {
  readonly #nodes: FbxNode[] = [];
  readonly #open: Open[] = [];
  #last: OpenNode | undefined;
  #line = 0;

  take(line: Line): void {
    this.#line += 1;
    const text = line.text.trim();
    if (text === '' || text.startsWith(';')) return;
    if (text.startsWith('"') || text.startsWith(',')) {
      this.#takeData(line);
      return;
    }
    const match = /^(\s*(\w+)\s*:)\s*(.*?)\s*$/s.exec(line.text);
    if (match?.[2] !== undefined) this.#takeRecord(match[2], match[3] ?? '', line, match[1]?.length ?? 0);
    else if (text.startsWith('}')) this.#closeAll(line);
  }

  version(): number {
    const header = this.#nodes.find(({ name }) => name === 'FBXHeaderExtension');
    const version = header?.children.find(({ name }) => name === 'FBXVersion')?.values[0];
    return typeof version === 'number' ? version : 0;
  }

  end(): FbxNode[] {
    const last = this.#open.at(-1);
    if (last === undefined) return this.#nodes;
    throw refused(`line ${this.#line}: the FBX was cut off: the record '${last.name}' has no end.`);
  }

  /** @param nameLength up to its colon */
  #takeRecord(name: string, rest: string, line: Line, nameLength: number): void {
    const parent = this.#open.at(-1);
    this.#last = undefined;
    if (name === 'a' && String(parent?.node?.values[0]).startsWith('*')) {
      this.#takeArray(line, nameLength);
      return;
    }
    const opens = /\{\s*\}?$/.test(rest);
    const wanted = isWanted([...this.#open.map((open) => open.name), name]);
    const node = wanted ? openNode(name, opens ? rest.replace(/\{[^{]*$/, '') : rest, line) : undefined;
    if (node !== undefined) {
      (parent?.node?.children ?? this.#nodes).push(node);
      this.#last = node;
      if (name === 'Content' && rest.includes('"')) this.#takeData(line);
    }
    if (opens) this.#open.push({ name, node });
    if (this.#open.length > DEEPEST) throw refused(`line ${this.#line}: the FBX's records are nested too deep.`);
    if (opens && rest.endsWith('}')) this.#open.pop();
  }

  /** Numbers between commas go on over lines of their own, to the end of what they lie in. */
  #takeArray(line: Line, nameLength: number): void {
    const open = this.#open.at(-1);
    if (open?.node === undefined) return;
    const at = line.start + nameLength;
    open.array = { kind: 'text', at, bytes: line.end - at };
    open.node.values.splice(0, open.node.values.length, open.array);
    if (line.text.trimEnd().endsWith('}')) this.#closeAll(line);
  }

  /** An image in base64 goes on over lines of its own. */
  #takeData({ text, start, end }: Line): void {
    if (this.#last?.name !== 'Content' || !/"[^"]/.test(text)) return;
    const known = this.#last.values.find((value) => typeof value === 'object');
    const at = known?.at ?? start;
    this.#last.values.splice(0, this.#last.values.length, { kind: 'base64', at, bytes: end - at });
  }

  #closeAll({ text, end }: Line): void {
    for (const character of text) {
      if (character !== '}') continue;
      const closed = this.#open.pop();
      if (closed?.array) closed.array.bytes = end - closed.array.at;
      if (closed?.node) closed.node.end = end;
    }
    this.#last = undefined;
  }
}

function openNode(name: string, values: string, { start, end }: Line): OpenNode {
  return { name, values: parseValues(values), children: [], start, end };
}

function parseValues(text: string): FbxValue[] {
  return [...text.matchAll(/"([^"]*)"|([^,"\s]+)/g)].map(([, quoted, plain]) => {
    if (quoted !== undefined) return unescaped(quoted);
    const number = Number(plain);
    return Number.isFinite(number) ? number : (plain ?? '');
  });
}

function unescaped(quoted: string): string {
  const text = Buffer.from(quoted, 'latin1').toString('utf8');
  return text.replaceAll('&quot;', '"').replaceAll('&cr;', '\r').replaceAll('&lf;', '\n');
}
