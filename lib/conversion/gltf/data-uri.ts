/** The bytes that a `data:` URI holds (RFC 2397), whatever type it says they have; undefined where it is none. */
export function decodeDataUri(uri: string): Uint8Array<ArrayBuffer> | undefined {
  const comma = uri.indexOf(',');
  if (comma < 0 || !/^data:/i.test(uri)) return undefined;
  const isBase64 = /;\s*base64\s*$/i.test(uri.slice(0, comma));
  const data = uri.slice(comma + 1);
  const bytes = isBase64
    ? Buffer.from(data.includes('%') ? unescaped(data).toString('latin1') : data, 'base64')
    : unescaped(data);
  return Uint8Array.from(bytes);
}

/** RFC 3986, 2.1. A percent sign that begins no escape is a plain one. */
function unescaped(text: string): Buffer {
  const bytes = Buffer.from(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    const hex = bytes[i] === 0x25 ? bytes.toString('latin1', i + 1, i + 3) : '';
    const isEscape = /^[0-9a-f]{2}$/i.test(hex);
    bytes[length] = isEscape ? Number.parseInt(hex, 16) : (bytes[i] ?? 0);
    length += 1;
    if (isEscape) i += 2;
  }
  return bytes.subarray(0, length);
}
