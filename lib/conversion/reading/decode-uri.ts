/** A URI with its escapes undone. A percent sign that begins none is a plain one: programs write such names. */
export function decodeUri(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}
