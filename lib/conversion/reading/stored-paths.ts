import { decodeUri } from './decode-uri.ts';

/** More folders than any path that a program stores; they cost a look each. */
const MOST_FOLDERS = 12;

/**
 * Where a texture may lie relative to its model's folder: the ends of the path that a model stores, the longest first (contract 2.6, texture
 * lookup), as written and then in the cases that Windows does not tell apart. Paths of other machines begin with folders that are not here.
 * None for what lies on a network, and none that leaves the folder.
 */
export function storedPaths(stored: string): string[] {
  if (/^(?!file:)[a-z][a-z0-9+.-]+:/i.test(stored) || stored.includes('\0')) return [];
  const parts: string[] = [];
  for (const part of stored
    .replace(/^file:\/*/i, '/')
    .split(/[/\\]/)
    .map(withoutDrives)) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const end = parts.slice(-MOST_FOLDERS);
  const paths = end.map((_, i) => end.slice(i).join('/'));
  return [...new Set([...paths, ...paths.map(lowerExtension), ...paths.map((path) => path.toLowerCase())])];
}

/** As `storedPaths`, for a URI, whose escapes are undone. */
export function storedUriPaths(uri: string): string[] {
  const paths = [...storedPaths(decodeUri(uri)), ...storedPaths(uri)];
  return [...new Set(paths)];
}

/** What is left may be `..`: drives go first. */
function withoutDrives(part: string): string {
  return part.replace(/^(\s*[a-z]:)*/i, '').trim();
}

function lowerExtension(path: string): string {
  return path.replace(/\.[^./]+$/, (extension) => extension.toLowerCase());
}
