/** JSON of a glTF as far as tests look into it. */
export type GltfJson = Record<string, unknown>;

/** A GLB around JSON and binary data, written by hand so that tests can lie in it. */
export function glb(json: GltfJson | string, binary: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = padded(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)), 0x20);
  const chunks = [chunk('JSON', text)];
  if (binary.length > 0) chunks.push(chunk('BIN\0', padded(Buffer.from(binary), 0)));
  const body = Buffer.concat(chunks);
  const header = Buffer.alloc(12);
  header.write('glTF', 'latin1');
  header.writeUInt32LE(2, 4);
  header.writeUInt32LE(12 + body.length, 8);
  return Buffer.concat([header, body]);
}

/** Collects arrays into one buffer and makes their views and accessors. */
export class BufferBuilder {
  readonly accessors: GltfJson[] = [];
  readonly bufferViews: GltfJson[] = [];
  readonly #parts: Buffer[] = [];
  #length = 0;

  /** @returns the accessor's index */
  add(
    type: 'SCALAR' | 'VEC2' | 'VEC3' | 'VEC4' | 'MAT4',
    data: Float32Array | Uint16Array | Uint32Array | Uint8Array,
  ): number {
    const components = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT4: 16 }[type];
    const bufferView = this.addBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    this.accessors.push({
      bufferView,
      componentType: componentTypeOf(data),
      count: data.length / components,
      type,
      ...(type === 'VEC3' ? boundsOf(data) : {}),
    });
    return this.accessors.length - 1;
  }

  /** @returns the buffer view's index */
  addBytes(bytes: Uint8Array): number {
    this.bufferViews.push({ buffer: 0, byteOffset: this.#length, byteLength: bytes.length });
    const part = padded(Buffer.from(bytes), 0);
    this.#parts.push(part);
    this.#length += part.length;
    return this.bufferViews.length - 1;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  /** The lists that describe the buffer; with `uri` it is a file of its own. */
  json(uri?: string): GltfJson {
    return {
      accessors: this.accessors,
      bufferViews: this.bufferViews,
      buffers: [{ byteLength: this.#length, ...(uri === undefined ? {} : { uri }) }],
    };
  }
}

function componentTypeOf(data: Float32Array | Uint16Array | Uint32Array | Uint8Array): number {
  if (data instanceof Float32Array) return 5126;
  if (data instanceof Uint32Array) return 5125;
  return data instanceof Uint16Array ? 5123 : 5121;
}

function boundsOf(data: ArrayLike<number>): GltfJson {
  const axis = (start: number) => Array.from(data).filter((_, i) => i % 3 === start);
  const corner = (pick: (a: number, b: number) => number) => [0, 1, 2].map((start) => axis(start).reduce(pick));
  return { min: corner((a, b) => Math.min(a, b)), max: corner((a, b) => Math.max(a, b)) };
}

function chunk(type: string, data: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(data.length);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, data]);
}

function padded(bytes: Buffer, filler: number): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4, filler)]);
}
