import { EXACT_DIGITS, POWERS, parseWord } from '../reading/parse-number.ts';

const [SPACE, MINUS, POINT, ZERO] = [32, 45, 46, 48];
const LONGEST_WORD = 1000;
const LONGEST_SHOWN = 40;
const LONGEST_PLAIN = 256;

/** Numbers of one element, read while its text comes in pieces. */
export class NumberList {
  length = 0;
  /** Where each run of them ends: elements of one name are read as one. */
  readonly ends: number[] = [];
  readonly #isInteger: boolean;
  /** A hundred thousand short lists are lighter as plain arrays. */
  #values: number[] | Float64Array | Int32Array = [];
  /** A word that the next piece may go on with. */
  #rest = '';

  /** @param isInteger whether they are indices and counts, which take half the room */
  constructor(isInteger: boolean) {
    this.#isInteger = isInteger;
  }

  get values(): ArrayLike<number> {
    return Array.isArray(this.#values) ? this.#values : this.#values.subarray(0, this.length);
  }

  /** @returns the first word that is no number, shortened; undefined where there is none */
  add(piece: string): string | undefined {
    const text = this.#rest === '' ? piece : this.#rest + piece;
    this.#rest = '';
    for (let start = skipBlanks(text, 0); start < text.length; ) {
      const end = skipWord(text, start);
      if (end === text.length && end - start <= LONGEST_WORD) {
        this.#rest = text.slice(start);
        return undefined;
      }
      if (!this.#addWord(text, start, end)) return shorten(text.slice(start, end));
      start = skipBlanks(text, end);
    }
    return undefined;
  }

  /** The same at the end of a run. */
  endRun(): string | undefined {
    const wrong = this.add(' ');
    this.ends.push(this.length);
    return wrong;
  }

  #addWord(text: string, start: number, end: number): boolean {
    const first = text.charCodeAt(start);
    let mantissa = 0;
    let digits = 0;
    let point = -1;
    let at = first === MINUS ? start + 1 : start;
    for (; at < end; at += 1) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit >= 0 && digit <= 9) {
        mantissa = mantissa * 10 + digit;
        digits += 1;
      } else if (digit === POINT - ZERO && point < 0) point = at;
      else break;
    }
    // One division of two exact numbers is rounded as it should be; all else is left to the language.
    if (at < end || digits === 0 || digits > EXACT_DIGITS) return this.#addAny(text.slice(start, end));
    const value = point < 0 ? mantissa : mantissa / (POWERS[end - 1 - point] ?? 1);
    // There is one zero here, so that what is equal has the same bits.
    return this.#push(first === MINUS && value > 0 ? -value : value);
  }

  #addAny(word: string): boolean {
    const number = parseLocal(word);
    if (number !== undefined) return this.#push(number);
    // Some programs put commas between numbers.
    if (!word.includes(',')) return false;
    return word.split(',').every((part) => {
      const value = part === '' ? undefined : parseLocal(part);
      return part === '' || (value !== undefined && this.#push(value));
    });
  }

  #push(value: number): boolean {
    if (this.#isInteger && (!Number.isInteger(value) || Math.abs(value) >= 2 ** 31)) return false;
    if (this.length >= LONGEST_PLAIN && this.length >= this.#values.length) this.#grow();
    this.#values[this.length] = value;
    this.length += 1;
    return true;
  }

  #grow(): void {
    const length = 2 * this.length;
    const larger = this.#isInteger ? new Int32Array(length) : new Float64Array(length);
    larger.set(this.#values);
    this.#values = larger;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) <= SPACE) at += 1;
  return at;
}

function skipWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) > SPACE) at += 1;
  return at;
}

/** All numbers of a short text, and what is no number; programs of some languages write decimal commas. */
export function parseNumbers(text: string): { numbers: number[]; wrong: string | undefined } {
  const list = new NumberList(false);
  const wrong = list.add(text) ?? list.endRun();
  return { numbers: Array.from(list.values), wrong };
}

/** The comma of a decimal number is a single one, without a point beside it. */
const DECIMAL_COMMA = /^[+-]?\d*,\d+(e[+-]?\d+)?$/i;

function parseLocal(word: string): number | undefined {
  return parseWord(DECIMAL_COMMA.test(word) ? word.replace(',', '.') : word);
}

function shorten(word: string): string {
  return word.length > LONGEST_SHOWN ? `${word.slice(0, LONGEST_SHOWN)}…` : word;
}
