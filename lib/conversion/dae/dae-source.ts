import type { DaeElement } from './dae-element.ts';

/** Values of a source, some numbers each. */
export interface DaeSource {
  readonly element: DaeElement;
  readonly values: ArrayLike<number>;
  /** How many values there are. */
  readonly count: number;
  /** Numbers from one value to the next. */
  readonly stride: number;
  /** Where the numbers of the first value are that have a meaning. */
  readonly components: readonly number[];
}

/** A number of a value; 0 where it has fewer. */
export function component({ values, stride, components }: DaeSource, index: number, which: number): number {
  const at = components[which];
  return at === undefined ? 0 : (values[index * stride + at] ?? 0);
}

/**
 * Reads a source of numbers. How many there are is told by the numbers themselves: what programs write of it is often wrong.
 * @param size of a value, where nothing says it
 * @throws ConversionError `input_refused` for values that reach beyond their numbers
 */
export function readSource(element: DaeElement, size: number): DaeSource {
  const accessor = element.child('technique_common')?.child('accessor');
  const array =
    accessor?.find('source', 'float_array', 'int_array') ?? element.child('float_array') ?? element.child('int_array');
  const values = array?.list?.values ?? [];
  const params = accessor?.all('param') ?? [];
  const stride = Math.max(1, accessor?.integer('stride') ?? (params.length || size));
  const offset = accessor?.integer('offset') ?? 0;
  if (values.length === 0) return { element, values, count: 0, stride, components: [] };
  const numbers = `but there are ${values.length} numbers`;
  if (stride + offset > values.length) {
    throw (accessor ?? element).refuse(`has a stride of ${stride} and an offset of ${offset}, ${numbers}.`);
  }
  const components = componentsOf(params, stride).map((i) => offset + i);
  const last = components.at(-1) ?? 0;
  const count = Math.floor((values.length - 1 - last) / stride) + 1;
  const claimed = accessor?.integer('count') ?? 0;
  // A stride that leaves no room for a value, or asks for more numbers than there are, is damaged.
  if (stride < params.length || (claimed > count && stride !== params.length && params.length > 0)) {
    throw (accessor ?? element).refuse(`has ${claimed} values of ${stride} numbers, ${numbers}.`);
  }
  return { element, values, count, stride, components };
}

/** What has a name has a meaning; a matrix has one name for all of its numbers. */
function componentsOf(params: readonly DaeElement[], stride: number): readonly number[] {
  const all = Array.from({ length: params.length > 1 ? Math.min(stride, params.length) : stride }, (_, i) => i);
  const named = all.filter((i) => params[i]?.get('name'));
  return params.length > 1 && named.length > 0 ? named : all;
}

/** Words of a source of names, or none. */
export function readNames(element: DaeElement | undefined): readonly string[] {
  const array = element?.child('Name_array') ?? element?.child('IDREF_array');
  return array === undefined || array.text === '' ? [] : array.text.split(/\s+/);
}

/** What an element takes from a source. */
export interface DaeInput {
  readonly semantic: string;
  readonly source: DaeElement;
  readonly offset: number;
  readonly set: number;
}

/** The inputs of an element, each source that is there. */
export function readInputs(element: DaeElement): DaeInput[] {
  return element.all('input').flatMap((input) => {
    const source = input.find('source', 'source', 'vertices');
    if (source === undefined) return [];
    const semantic = input.get('semantic') ?? '';
    return [{ semantic, source, offset: input.integer('offset') ?? 0, set: input.integer('set') ?? 0 }];
  });
}

/** Indices of each corner of an element: inputs of sources that are not there take their place all the same. */
export function widthOf(element: DaeElement): number {
  return element.all('input').reduce((width, input) => Math.max(width, 1 + (input.integer('offset') ?? 0)), 1);
}

/** The source of the first input of a meaning. */
export function inputSource(element: DaeElement | undefined, semantic: string): DaeElement | undefined {
  return element && readInputs(element).find((input) => input.semantic === semantic)?.source;
}
