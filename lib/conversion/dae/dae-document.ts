import { decodeUri } from '../reading/decode-uri.ts';
import type { DaeElement } from './dae-element.ts';

/** A COLLADA document and those that it refers to. */
export class DaeDocument {
  /** Addresses of documents that this one takes something from, as it writes them. */
  readonly uris = new Set<string>();
  /** By the address that this one writes before the `#`. */
  readonly others = new Map<string, DaeDocument>();
  /** Everything that shapes are blended by. */
  readonly morphs: DaeElement[] = [];
  readonly materials: DaeElement[] = [];
  readonly #byId = new Map<string, DaeElement[]>();

  /** Of several elements of one name that have one id, the first counts. */
  add(id: string, element: DaeElement): void {
    const known = this.#byId.get(id);
    if (known === undefined) this.#byId.set(id, [element]);
    else if (known.every(({ name }) => name !== element.name)) known.push(element);
  }

  /** The element of one of the names that a URI means; programs leave the `#` out, and give one id to things of several kinds. */
  find(uri: string, names: readonly string[]): DaeElement | undefined {
    const hash = uri.indexOf('#');
    const other = hash > 0 ? this.others.get(uri.slice(0, hash)) : undefined;
    if (other !== undefined) return other.find(uri.slice(hash), names);
    const id = uri.slice(hash + 1);
    // Ids may have a `#` of their own.
    return this.#get(id, names) ?? this.#get(uri, names) ?? this.#get(decodeUri(id), names);
  }

  #get(id: string, names: readonly string[]): DaeElement | undefined {
    const found = this.#byId.get(id) ?? [];
    return found.find(({ name }) => names.includes(name));
  }
}
