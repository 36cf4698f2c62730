import type { ModelFile } from '../../model-file.ts';
import { refused } from '../../reading/refused.ts';
import { type FbxFile, type FbxNode, type FbxValue, isWanted } from './fbx-node.ts';

const CHUNK_BYTES = 2 ** 20;
/** As much of a line as is looked at: longer ones are data. */
const LONGEST_LINE = 2 ** 16;
const DEEPEST = 64;

interface Open {
  readonly name: string;
  readonly children: FbxNode[] | undefined;
}

/**
 * Walks through an FBX that is text, line by line.
 * @throws ConversionError `input_refused` for a file that was cut off
 */
export async function readTextFbx(file: ModelFile): Promise<FbxFile> {
  const walker = new Walker();
  const decoder = new TextDecoder();
  let held = '';
  for (let offset = 0; offset < file.size; ) {
    const chunk = await file.read(offset, CHUNK_BYTES);
    if (chunk.length === 0) break;
    offset += chunk.length;
    const lines = (held + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r/);
    held = lines.pop() ?? '';
    // Data without an end of line: it holds no records.
    if (held.length > LONGEST_LINE) held = held.slice(0, LONGEST_LINE / 2) + held.slice(-LONGEST_LINE / 4);
    for (const line of lines) walker.take(line);
  }
  walker.take(held);
  return { version: walker.version(), isBinary: false, nodes: walker.end(), unpackedBytes: file.size };
}

class Walker {
  readonly #nodes: FbxNode[] = [];
  readonly #open: Open[] = [];
  #last: (FbxNode & { values: FbxValue[] }) | undefined;
  #line = 0;

  take(raw: string): void {
    this.#line += 1;
    const line = raw.trim();
    if (line === '' || line.startsWith(';')) return;
    if (line.startsWith('"') || line.startsWith(',')) {
      this.#takeData(line);
      return;
    }
    const match = /^(\w+)\s*:\s*(.*)$/s.exec(line);
    const opens = endsOpen(line);
    if (match?.[1] !== undefined) this.#takeRecord(match[1], match[2] ?? '', opens);
    else if (line.startsWith('}')) this.#closeAll(line);
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

  #takeRecord(name: string, rest: string, opens: boolean): void {
    const wanted = isWanted([...this.#open.map((open) => open.name), name]);
    const children: FbxNode[] = [];
    this.#last = undefined;
    if (wanted) {
      const node = { name, values: parseValues(opens ? rest.replace(/\{[^{]*$/, '') : rest), children };
      (this.#open.at(-1)?.children ?? this.#nodes).push(node);
      this.#last = node;
    }
    if (opens) this.#open.push({ name, children: wanted ? children : undefined });
    if (this.#open.length > DEEPEST) throw refused(`line ${this.#line}: the FBX's records are nested too deep.`);
    if (opens && rest.endsWith('}')) this.#open.pop();
  }

  /** An image in base64 goes on over lines of its own. */
  #takeData(line: string): void {
    const data = line.replaceAll(/[",\s]/g, '').length;
    if (this.#last?.name === 'Content' && data > 0) this.#last.values.push({ bytes: data });
  }

  #closeAll(line: string): void {
    for (const character of line) if (character === '}') this.#open.pop();
    this.#last = undefined;
  }
}

/** True where a record goes on in braces. */
function endsOpen(line: string): boolean {
  return /\{\s*\}?$/.test(line.length > LONGEST_LINE ? line.slice(-100) : line);
}

function parseValues(text: string): FbxValue[] {
  return [...text.matchAll(/"([^"]*)"|([^,"\s]+)/g)].map(([, quoted, plain]) => {
    if (quoted !== undefined) return quoted.replaceAll('&quot;', '"').replaceAll('&cr;', '\r').replaceAll('&lf;', '\n');
    const number = Number(plain);
    return Number.isFinite(number) ? number : (plain ?? '');
  });
}
