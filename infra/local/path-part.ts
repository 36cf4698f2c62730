/**
 * One part of a request's path. An encoded slash stays encoded, as Azure's services read paths.
 * @throws URIError for what is not properly encoded
 */
export function decodePathPart(part: string): string {
  return part
    .split(/(%2f)/i)
    .map((piece) => (/^%2f$/i.test(piece) ? piece : decodeURIComponent(piece)))
    .join('');
}
