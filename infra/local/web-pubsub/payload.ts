/** What somebody sends, in the form in which they sent it. */
export type Payload =
  | { readonly dataType: 'text'; readonly text: string }
  /** `text` is valid JSON. */
  | { readonly dataType: 'json'; readonly text: string }
  | { readonly dataType: 'binary' | 'protobuf'; readonly bytes: Buffer };

export type Metadata = Readonly<Record<string, string>>;

/** The type of a payload in HTTP. */
export const CONTENT_TYPES = {
  text: 'text/plain',
  json: 'application/json',
  binary: 'application/octet-stream',
  protobuf: 'application/octet-stream',
} as const;

/** Reads the body of a request or of a webhook's answer. Undefined for a content type that is none of the three, or not in UTF-8. */
export function dataTypeOf(contentType: string | null | undefined): 'text' | 'json' | 'binary' | undefined {
  const [type = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith('charset='));
  if (charset && !/^charset="?(?:utf-8|us-ascii)"?$/.test(charset)) return undefined;
  const name = type.trim();
  if (name === CONTENT_TYPES.text) return 'text';
  if (name === CONTENT_TYPES.json) return 'json';
  return name === CONTENT_TYPES.binary ? 'binary' : undefined;
}

/** Undefined where the bytes are not what the type says: UTF-8, and JSON. */
export function payloadOf(dataType: 'text' | 'json' | 'binary', bytes: Buffer): Payload | undefined {
  if (dataType === 'binary') return { dataType, bytes };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (dataType === 'json') JSON.parse(text);
    return { dataType, text };
  } catch {
    return undefined;
  }
}
