import { ConversionError } from '../conversion-error.ts';
import type { ModelFile } from '../model-file.ts';
import { refused } from './refused.ts';
import { encodingOf } from './text-encoding.ts';

/** What is told of an XML, in its order. Names are without the prefix of their namespace. */
export interface XmlHandler {
  /** @param line counted from 1 */
  open(name: string, attributes: XmlAttributes, line: number): void;
  close?(name: string): void;
  /** Between tags, in pieces, with its entities undone; at most what is wanted of it. */
  text?(text: string): void;
}

/** Attributes are looked for where they are asked for. */
export class XmlAttributes {
  readonly #tag: string;

  constructor(tag: string) {
    this.#tag = tag;
  }

  /** The value of an attribute, with or without a prefix of its namespace. */
  get(name: string): string | undefined {
    const found = patternOf(name).exec(this.#tag);
    return found === null ? undefined : undoEntities(found[1] ?? found[2] ?? '');
  }

  /** The same to keep: what is told of an XML holds the whole piece in memory that it is a part of. */
  copy(): XmlAttributes {
    return new XmlAttributes(Buffer.from(this.#tag).toString());
  }
}

const patterns = new Map<string, RegExp>();

function patternOf(name: string): RegExp {
  const known = patterns.get(name) ?? new RegExp(`[\\s:]${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`);
  patterns.set(name, known);
  return known;
}

const CHUNK_BYTES = 2 ** 22;
const HEAD_BYTES = 256;
const LONGEST_TAG = 2 ** 20;
const LONGEST_COMMENT = 2 ** 25;
const DEEPEST = 10_000;

/**
 * Reads an XML from front to back, in parts. Entities that a document declares are refused: they make more of a text than it is.
 * @throws ConversionError `input_refused` for what is not well-formed, with its line
 */
export async function scanXml(file: ModelFile, handler: XmlHandler): Promise<void> {
  const head = await file.read(0, HEAD_BYTES);
  const { encoding, mark } = encodingOf(head);
  const isPlain = encoding === 'utf-8' && mark === 0;
  const decoder = new TextDecoder((isPlain ? declaredEncoding(head) : undefined) ?? encoding);
  const scanner = new XmlScanner(handler);
  for (let offset = mark; offset < file.size; ) {
    const chunk = await file.read(offset, CHUNK_BYTES);
    if (chunk.length === 0) break;
    offset += chunk.length;
    scanner.add(decoder.decode(chunk, { stream: true }));
  }
  scanner.end();
}

/** What an XML says of its own encoding, where that is known. One of 16 bits would have been told by its first bytes. */
function declaredEncoding(head: Uint8Array): string | undefined {
  const text = Buffer.from(head).toString('latin1');
  const label = /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(text)?.[1] ?? '';
  if (/^(utf|ucs)/i.test(label)) return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}

class XmlScanner {
  readonly #handler: XmlHandler;
  readonly #open: string[] = [];
  #text = '';
  #line = 1;
  /** Whether there has been a root element. */
  #hasRoot = false;

  constructor(handler: XmlHandler) {
    this.#handler = handler;
  }

  add(more: string): void {
    const text = this.#text + more;
    let at = 0;
    for (;;) {
      const tag = text.indexOf('<', at);
      if (tag < 0) {
        this.#tellText(text.slice(at));
        at = text.length;
        break;
      }
      if (tag > at) this.#tellText(text.slice(at, tag));
      at = tag;
      const end = this.#endOfTag(text, tag);
      if (end === undefined) break;
      this.#take(text, tag, end);
      at = end;
    }
    this.#text = text.slice(at);
    const longest = this.#text.startsWith('<!') ? LONGEST_COMMENT : LONGEST_TAG;
    if (this.#text.length > longest) throw this.#refuse('a tag or a comment is not closed.');
  }

  end(): void {
    const last = this.#open.at(-1);
    if (last !== undefined) throw this.#refuse(`the file was cut off: <${last}> is not closed.`);
    if (this.#text !== '' || !this.#hasRoot) throw this.#refuse('the file was cut off.');
  }

  #endOfTag(text: string, tag: number): number | undefined {
    if (text.startsWith('<!--', tag)) return after(text, '-->', tag + 4);
    if (text.startsWith('<![CDATA[', tag)) return after(text, ']]>', tag + 9);
    if (text.startsWith('<?', tag)) return after(text, '?>', tag + 2);
    if (text.startsWith('<!DOCTYPE', tag)) return endOfDoctype(text, tag);
    if (text.startsWith('<!ENTITY', tag)) throw forbidden();
    // What may still become one of these.
    if (text.startsWith('<!', tag) && text.length - tag < 9) return undefined;
    const end = text.indexOf('>', tag);
    if (end < 0) return undefined;
    const quoted = text.slice(tag, end);
    // A `>` within a value.
    return isWithinQuotes(quoted) ? closeOutsideQuotes(text, tag) : end + 1;
  }

  #take(text: string, start: number, end: number): void {
    const second = text[start + 1];
    if (second === '?' || second === '!') {
      if (text.startsWith('<![CDATA[', start)) this.#handler.text?.(text.slice(start + 9, end - 3));
      this.#countLines(text.slice(start, end));
      return;
    }
    const tag = text.slice(start + 1, end - 1);
    if (second === '/') this.#close(localName(tag.slice(1).trimEnd()));
    else this.#openTag(tag);
    this.#countLines(tag);
  }

  #openTag(tag: string): void {
    let nameEnd = 0;
    while (nameEnd < tag.length && !isBlank(tag.charCodeAt(nameEnd)) && tag[nameEnd] !== '/') nameEnd += 1;
    const name = localName(tag.slice(0, nameEnd));
    if (name === '') throw this.#refuse("a '<' begins no tag.");
    if (this.#hasRoot && this.#open.length === 0) throw this.#refuse(`<${name}> stands after the end of the document.`);
    this.#hasRoot = true;
    this.#open.push(name);
    if (this.#open.length > DEEPEST) throw this.#refuse(`its tags are nested more than ${DEEPEST} deep.`);
    this.#handler.open(name, new XmlAttributes(tag), this.#line);
    if (tag.endsWith('/')) this.#close(name);
  }

  #close(name: string): void {
    const open = this.#open.pop();
    if (open !== name)
      throw this.#refuse(`</${name.slice(0, 40)}> closes ${open === undefined ? 'nothing' : `<${open}>`}.`);
    this.#handler.close?.(name);
  }

  #tellText(text: string): void {
    this.#countLines(text);
    if (this.#open.length > 0) this.#handler.text?.(text.includes('&') ? undoEntities(text) : text);
  }

  #countLines(text: string): void {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#line += 1;
  }

  #refuse(what: string): ConversionError {
    return refused(`line ${this.#line}: ${what}`);
  }
}

/** A document type that only names itself is harmless. */
function endOfDoctype(text: string, tag: number): number | undefined {
  const end = after(text, '>', tag);
  if (text.slice(tag, end).includes('[')) throw forbidden();
  return end;
}

function forbidden(): ConversionError {
  const message =
    'The model declares a document type (<!DOCTYPE>) with entities, which is not allowed in a model. Export it again without.';
  return new ConversionError('input_refused', message);
}

function after(text: string, mark: string, from: number): number | undefined {
  const found = text.indexOf(mark, from);
  return found < 0 ? undefined : found + mark.length;
}

function isWithinQuotes(text: string): boolean {
  if (!text.includes("'")) {
    let isOpen = false;
    for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) isOpen = !isOpen;
    return isOpen;
  }
  let quote = '';
  for (const character of text) {
    if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
  }
  return quote !== '';
}

function closeOutsideQuotes(text: string, from: number): number | undefined {
  let quote = '';
  for (let at = from; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === quote) quote = '';
    else if (quote === '' && character === '>') return at + 1;
  }
  return undefined;
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}

function isBlank(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function undoEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}
