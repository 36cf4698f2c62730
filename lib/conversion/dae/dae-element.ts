import { refused } from '../reading/refused.ts';
import type { XmlAttributes } from '../reading/xml.ts';
import type { DaeDocument } from './dae-document.ts';
import { type NumberList, parseNumbers } from './number-list.ts';

/** More than effects have, each of which many materials may use. */
const MOST_SEARCHED = 2000;

const none: readonly DaeElement[] = [];

/** An element of a COLLADA document with what it says. */
export class DaeElement {
  readonly name: string;
  readonly attributes: XmlAttributes;
  readonly home: DaeDocument;
  /** Counted from 1. */
  readonly line: number;
  /** Without blanks around it. */
  text = '';
  /** Of the elements that hold long lists of numbers. */
  list: NumberList | undefined;
  #children: DaeElement[] | undefined;

  constructor(name: string, attributes: XmlAttributes, home: DaeDocument, line: number) {
    this.name = name;
    this.attributes = attributes;
    this.home = home;
    this.line = line;
  }

  get children(): readonly DaeElement[] {
    return this.#children ?? none;
  }

  append(child: DaeElement): void {
    if (this.#children === undefined) this.#children = [child];
    else this.#children.push(child);
  }

  /** The first child of a name. */
  child(name: string): DaeElement | undefined {
    return this.#children?.find((child) => child.name === name);
  }

  all(...names: readonly string[]): DaeElement[] {
    return this.children.filter((child) => names.includes(child.name));
  }

  /** Every element below this one, each before what it holds. */
  *below(): Generator<DaeElement> {
    const waiting = this.children.toReversed();
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      yield next;
      for (let i = next.children.length - 1; i >= 0; i -= 1) {
        const child = next.children[i];
        if (child !== undefined) waiting.push(child);
      }
    }
  }

  /** The first element of a name among those below this one, of which only the first thousands are looked at. */
  search(name: string): DaeElement | undefined {
    let looked = 0;
    for (const element of this.below()) {
      if (element.name === name) return element;
      looked += 1;
      if (looked === MOST_SEARCHED) return undefined;
    }
    return undefined;
  }

  get(attribute: string): string | undefined {
    return this.attributes.get(attribute);
  }

  /** A whole number that is not negative; undefined where the attribute says none. */
  integer(attribute: string): number | undefined {
    const text = this.get(attribute)?.trim() ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  }

  /** What a person calls it. */
  get title(): string {
    return this.get('name') || this.get('id') || '';
  }

  /**
   * The numbers of its text.
   * @throws ConversionError `input_refused` for a word that is none
   */
  get numbers(): readonly number[] {
    const { numbers, wrong } = parseNumbers(this.text);
    if (wrong !== undefined) throw this.refuse(`has '${wrong}', which is no number.`);
    return numbers;
  }

  /** The element by what an attribute of this one says, of one of the names. */
  find(attribute: string, ...names: readonly string[]): DaeElement | undefined {
    const url = this.get(attribute);
    return url === undefined ? undefined : this.home.find(url, names);
  }

  /** The error for an element that says something wrong. */
  refuse(what: string): Error {
    return refused(`line ${this.line}: <${this.name}> ${what}`);
  }
}
