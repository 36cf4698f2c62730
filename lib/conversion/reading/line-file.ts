import { isUtf8 } from 'node:buffer';
import type { ModelFile } from '../model-file.ts';
import { ChunkedFile } from './chunked-file.ts';
import { parseNumber } from './parse-number.ts';
import { refused } from './refused.ts';

const [TAB, LINE_FEED, CARRIAGE_RETURN, SPACE, HASH, POINT] = [9, 10, 13, 32, 35, 46];
const LONGEST_LINE = 2 ** 24;
const LONGEST_SHOWN = 40;

/** How lines are written. */
export interface LineSyntax {
  /** What stands between words beside blanks. */
  readonly separators?: string;
  /** What begins a comment, up to the end of the line: any of these. */
  readonly comments?: string;
  /** What ends a line, where it is known. */
  readonly newline?: '\n' | '\r';
}

/**
 * Text, read line by line and word by word: `while (lines.advance() || (await lines.more()))`. Lines without words are passed over. Words are
 * bytes, of which only those that are shown are decoded.
 */
export class LineFile extends ChunkedFile {
  /** Number of the line, counted from 1. */
  line: number;
  readonly #isBlank = new Uint8Array(256);
  readonly #isComment = new Uint8Array(256);
  /** What ends a line; old programs write carriage returns alone. */
  #newline: number | undefined;
  /** Where the line begins, where its words that are left begin, and where they end. */
  #start = 0;
  #word = 0;
  #end = 0;

  constructor(file: ModelFile, { separators = '', comments = '', newline }: LineSyntax = {}, offset = 0, line = 0) {
    super(file, offset);
    this.line = line;
    for (const code of [TAB, 11, 12, CARRIAGE_RETURN, SPACE, ...Buffer.from(separators)]) this.#isBlank[code] = 1;
    this.#newline = newline?.charCodeAt(0);
    for (const code of Buffer.from(comments)) this.#isComment[code] = 1;
  }

  /** Goes on to the next line with words; false where it has not been read yet. */
  advance(): boolean {
    while (this.#newline !== undefined) {
      const found = this.bytes.indexOf(this.#newline, this.at);
      if (found < 0 && (!this.isLast || this.at >= this.bytes.length)) return false;
      this.#start = this.at;
      this.#word = this.at;
      this.#end = found < 0 ? this.bytes.length : found;
      this.at = found < 0 ? this.bytes.length : found + 1;
      this.line += 1;
      if (this.#hasWord()) return true;
    }
    return false;
  }

  /** As `advance`, after it has read on; false at the end of the file. */
  async more(): Promise<boolean> {
    while (!this.isLast) {
      if (this.bytes.length - this.at > LONGEST_LINE) throw tooLong(this.line + 1);
      await this.readMore();
      this.#newline ??= newlineOf(this.bytes);
      if (this.advance()) return true;
    }
    return false;
  }

  /** The next number of the line, which may be NaN or infinite where it says so; undefined where there is none. */
  number(): number | undefined {
    if (!this.#hasWord()) return undefined;
    const end = this.#findWordEnd();
    const number = parseNumber(this.bytes, this.#word, end);
    if (number === undefined) throw this.refuse(`'${this.#show(end)}' is no number.`);
    this.#word = end;
    return number;
  }

  /** As many of the next numbers as there are and `row` takes; says how many. */
  numbers(row: Float64Array): number {
    for (let i = 0; i < row.length; i += 1) {
      const number = this.number();
      if (number === undefined) return i;
      row[i] = number;
    }
    return row.length;
  }

  /** The next word of the line, shortened; empty where there is none. */
  word(): string {
    if (!this.#hasWord()) return '';
    const end = this.#findWordEnd();
    const word = this.#show(end);
    this.#word = end;
    return word;
  }

  /** True where the line has words left. */
  get hasMore(): boolean {
    return this.#hasWord();
  }

  /** What is left of the line. */
  remainder(): string {
    let end = this.#word;
    while (end < this.#end && this.#isComment[this.bytes[end] ?? 0] === 0) end += 1;
    const text = Buffer.from(this.bytes.subarray(this.#word, end)).toString('utf8').trim();
    this.#word = this.#end;
    return text;
  }

  /** All that is left of the line, for names: they may have in them what begins a comment elsewhere. */
  restOfLine(): string {
    const text = Buffer.from(this.bytes.subarray(this.#word, this.#end));
    this.#word = this.#end;
    // Programs of one language write its own encoding.
    return text.toString(isUtf8(text) ? 'utf8' : 'latin1').trim();
  }

  /** Goes back to the first word of the line. */
  rewind(): void {
    this.#word = this.#start;
  }

  /** The error for a line that says something wrong. */
  refuse(what: string): Error {
    return refused(`line ${this.line}: ${what}`);
  }

  /** Goes to the next word of the line. */
  #hasWord(): boolean {
    const { bytes } = this;
    while (this.#word < this.#end && this.#isBlank[bytes[this.#word] ?? 0] === 1) this.#word += 1;
    if (this.#word < this.#end && this.#isComment[bytes[this.#word] ?? 0] === 1) this.#end = this.#word;
    return this.#word < this.#end;
  }

  #findWordEnd(): number {
    const { bytes } = this;
    let end = this.#word + 1;
    for (; end < this.#end; end += 1) {
      const byte = bytes[end] ?? 0;
      if (this.#isBlank[byte] === 1 || (this.#isComment[byte] === 1 && !this.#isInNumber(end))) break;
    }
    return end;
  }

  /** Microsoft's C writes NaN and infinity as `1.#IND` and `1.#INF`. */
  #isInNumber(at: number): boolean {
    return this.bytes[at] === HASH && this.bytes[at - 1] === POINT && (this.bytes[at + 1] ?? 0) > SPACE;
  }

  #show(end: number): string {
    const shown = this.bytes.subarray(this.#word, Math.min(end, this.#word + LONGEST_SHOWN));
    return `${Buffer.from(shown).toString('latin1')}${end - this.#word > LONGEST_SHOWN ? '…' : ''}`;
  }
}

function newlineOf(bytes: Uint8Array): number {
  return !bytes.includes(LINE_FEED) && bytes.includes(CARRIAGE_RETURN) ? CARRIAGE_RETURN : LINE_FEED;
}

function tooLong(line: number): Error {
  return refused(`line ${line} is longer than ${LONGEST_LINE} bytes.`);
}
