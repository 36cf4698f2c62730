/** Where a text is no JSON. */
export class JsonError extends Error {
  override readonly name = 'JsonError';
}

/** Nested deeper than anything that people write by hand. */
const MAX_DEPTH = 64;

/**
 * Reads JSON that people write by hand. Other than `JSON.parse` it always says where a text is wrong, refuses a key that is there twice, of
 * which one value would get lost, and lets a byte order mark be.
 * @throws JsonError with line and column
 */
export function parseJson(bytes: Uint8Array): unknown {
  const reader = new JsonReader(decode(bytes));
  const value = reader.value(0);
  reader.end();
  return value;
}

function decode(bytes: Uint8Array): string {
  const [first, second] = bytes;
  // Windows' editors write UTF-16 with a byte order mark.
  const utf16 =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(utf16, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new JsonError('it is no text in UTF-8', { cause: error });
  }
}

const tokens = {
  space: /[ \t\n\r]*/y,
  number: /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y,
  word: /true|false|null/y,
} as const;

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.#error(`it is nested deeper than ${MAX_DEPTH} levels`);
    this.#take(tokens.space);
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  end(): void {
    this.#take(tokens.space);
    if (this.#at < this.#text.length) throw this.#unexpected('the end');
  }

  #object(depth: number): object {
    const entries = new Map<string, unknown>();
    this.#list('}', () => {
      this.#take(tokens.space);
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#unexpected('a key in quotation marks');
      const key = this.#string();
      if (entries.has(key)) throw this.#error(`the key '${key}' is there twice`, start);
      this.#expect(':');
      entries.set(key, this.value(depth + 1));
    });
    return Object.fromEntries(entries);
  }

  #array(depth: number): unknown[] {
    const items: unknown[] = [];
    this.#list(']', () => items.push(this.value(depth + 1)));
    return items;
  }

  #list(close: '}' | ']', item: () => void): void {
    this.#at += 1;
    this.#take(tokens.space);
    if (this.#text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      item();
      this.#take(tokens.space);
      const next = this.#text[this.#at];
      if (next !== ',' && next !== close) throw this.#unexpected(`',' or '${close}'`);
      this.#at += 1;
      if (next === close) return;
    }
  }

  /** The text between quotation marks. */
  #string(): string {
    const start = this.#at;
    let end = start + 1;
    while (this.#text[end] !== '"') {
      if (end >= this.#text.length) throw this.#error('the text that begins here does not end', start);
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#at = end + 1;
    try {
      return String(JSON.parse(this.#text.slice(start, end + 1)));
    } catch {
      throw this.#error(
        'the text that begins here has a character that has to be escaped, or an unknown escape',
        start,
      );
    }
  }

  #scalar(): unknown {
    const text = this.#take(tokens.word) || this.#take(tokens.number);
    if (text === '') throw this.#unexpected('a value');
    return JSON.parse(text);
  }

  #expect(character: string): void {
    this.#take(tokens.space);
    if (this.#text[this.#at] !== character) throw this.#unexpected(`'${character}'`);
    this.#at += 1;
  }

  #take(token: RegExp): string {
    token.lastIndex = this.#at;
    const text = token.exec(this.#text)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }

  #unexpected(wanted: string): JsonError {
    const found =
      this.#at < this.#text.length ? `'${String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)}'` : 'the end';
    return this.#error(`${found} is where ${wanted} should be`);
  }

  #error(what: string, at: number = this.#at): JsonError {
    const before = this.#text.slice(0, at).split('\n');
    return new JsonError(`line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${what}`);
  }
}
