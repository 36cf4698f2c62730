/** A type of PLY's numbers. */
export interface ScalarType {
  readonly bytes: number;
  readonly isFloat: boolean;
  /** Colours run from 0 to this; undefined where it takes all of them to know. */
  readonly brightest: number | undefined;
  readonly read: (view: DataView, at: number, isLittleEndian: boolean) => number;
}

const int8: ScalarType = whole(1, 255, (view, at) => view.getInt8(at));
const uint8: ScalarType = whole(1, 255, (view, at) => view.getUint8(at));
const int16: ScalarType = whole(2, 255, (view, at, isLittle) => view.getInt16(at, isLittle));
const uint16: ScalarType = whole(2, 65_535, (view, at, isLittle) => view.getUint16(at, isLittle));
const int32: ScalarType = whole(4, 255, (view, at, isLittle) => view.getInt32(at, isLittle));
const uint32: ScalarType = whole(4, 255, (view, at, isLittle) => view.getUint32(at, isLittle));
const float32: ScalarType = float(4, (view, at, isLittle) => view.getFloat32(at, isLittle));
const float64: ScalarType = float(8, (view, at, isLittle) => view.getFloat64(at, isLittle));

/** By the names of the format's first description and by those that came later. */
const types: ReadonlyMap<string, ScalarType> = new Map([
  ['char', int8],
  ['int8', int8],
  ['uchar', uint8],
  ['uint8', uint8],
  ['short', int16],
  ['int16', int16],
  ['ushort', uint16],
  ['uint16', uint16],
  ['int', int32],
  ['int32', int32],
  ['uint', uint32],
  ['uint32', uint32],
  ['float', float32],
  ['float32', float32],
  ['double', float64],
  ['float64', float64],
]);

export function scalarType(name: string): ScalarType | undefined {
  return types.get(name);
}

function whole(bytes: number, brightest: number, read: ScalarType['read']): ScalarType {
  return { bytes, isFloat: false, brightest, read };
}

function float(bytes: number, read: ScalarType['read']): ScalarType {
  return { bytes, isFloat: true, brightest: undefined, read };
}
