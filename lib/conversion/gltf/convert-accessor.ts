import { Accessor } from '@gltf-transform/core';

/** What values an attribute may have: glTF 2.0, 3.7.2.1, KHR_mesh_quantization. */
export interface Shape {
  /** How many components; any where there are none. */
  readonly sizes: readonly number[];
  /** `part` is from 0 to 1, `direction` a vector of length 1. */
  readonly kind: 'number' | 'direction' | 'part' | 'index';
  /** What is put where there is no value. */
  readonly filler: number;
}

const { FLOAT, UNSIGNED_BYTE, UNSIGNED_SHORT, UNSIGNED_INT } = Accessor.ComponentType;

/**
 * Makes accessors that have other values than they may those that do, the same for all who share one; others are left as they are.
 * The function takes the number of elements that there should be.
 */
export function accessorConverter() {
  const done = new Map<Accessor, Map<string, Accessor>>();
  return (accessor: Accessor, shape: Shape, count: number): Accessor => {
    const size = sizeOf(accessor, shape);
    if (isRight(accessor, shape) && size === accessor.getElementSize() && count === accessor.getCount())
      return accessor;
    const key = `${shape.kind} ${size} ${count}`;
    const known = done.get(accessor) ?? new Map<string, Accessor>();
    done.set(accessor, known);
    const converted = known.get(key) ?? rewritten(accessor, shape, size, count);
    known.set(key, converted);
    return converted;
  };
}

function sizeOf(accessor: Accessor, { sizes }: Shape): number {
  const size = accessor.getElementSize();
  return sizes.length === 0 || sizes.includes(size) ? size : Math.max(...sizes);
}

function isRight(accessor: Accessor, { kind }: Shape): boolean {
  const type = accessor.getComponentType();
  const isSmall = type === UNSIGNED_BYTE || type === UNSIGNED_SHORT;
  if (kind === 'index') return isSmall && !accessor.getNormalized();
  if (type === FLOAT) return true;
  if (kind === 'part') return isSmall && accessor.getNormalized();
  return kind === 'number' && type !== UNSIGNED_INT;
}

function rewritten(accessor: Accessor, { kind, filler }: Shape, size: number, count: number): Accessor {
  const values = kind === 'index' ? new Uint16Array(size * count) : new Float32Array(size * count);
  values.fill(filler);
  const full = fullOf(accessor, kind);
  const components = Math.min(size, accessor.getElementSize());
  const element: number[] = [];
  for (let i = 0; i < Math.min(count, accessor.getCount()); i += 1) {
    accessor.getElement(i, element);
    for (let j = 0; j < components; j += 1) values[size * i + j] = (element[j] ?? 0) / full;
  }
  return accessor
    .clone()
    .setType(typeOf[size] ?? accessor.getType())
    .setNormalized(false)
    .setArray(values);
}

const typeOf: Readonly<Record<number, 'SCALAR' | 'VEC2' | 'VEC3' | 'VEC4'>> = {
  1: 'SCALAR',
  2: 'VEC2',
  3: 'VEC3',
  4: 'VEC4',
};

/** The value that means 1: whole numbers that are parts of something are parts of their largest. */
function fullOf(accessor: Accessor, kind: Shape['kind']): number {
  if (kind !== 'part' || accessor.getNormalized()) return 1;
  if (accessor.getComponentType() === UNSIGNED_BYTE) return 255;
  return accessor.getComponentType() === UNSIGNED_SHORT ? 65535 : 1;
}
