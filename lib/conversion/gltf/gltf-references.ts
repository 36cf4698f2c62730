import { posix } from 'node:path';
import { ConversionError } from '../conversion-error.ts';
import type { WrittenReference } from '../model-formats.ts';
import { decodeUri } from '../reading/decode-uri.ts';
import { storedUriPaths } from '../reading/stored-paths.ts';
import type { Gltf } from './gltf-schema.ts';

/**
 * Every other file that a glTF model refers to, as often as it does. Textures that lie on a network have no path.
 * @throws ConversionError `input_refused` for geometry outside of the model's folder
 */
export function gltfReferences(gltf: Gltf): WrittenReference[] {
  const buffers = gltf.buffers.flatMap(({ uri }) => (isExternal(uri) ? [bufferReference(uri)] : []));
  const textures = gltf.images.flatMap(({ uri }) => (isExternal(uri) ? [textureReference(uri)] : []));
  return [...buffers, ...textures];
}

/** The path below the model's folder that a URI means, with `/` between its parts; undefined where it leads elsewhere. */
export function pathOfUri(uri: string): string | undefined {
  // RFC 3986, 3.1: a scheme; one letter would be a Windows drive.
  if (/^[a-z][a-z0-9+.-]*:/i.test(uri)) return undefined;
  // Exporters on Windows write `\`, which no URI may hold unescaped.
  const path = posix.normalize(decodeUri(uri).replaceAll('\\', '/'));
  const leaves = path.startsWith('/') || path === '.' || path === '..' || path.startsWith('../') || path.endsWith('/');
  return leaves || path.includes('\0') || /^[a-z]:/i.test(path) ? undefined : path;
}

/** True where the URI names a file; data is in the model itself. */
export function isExternal(uri: string | undefined): uri is string {
  return uri !== undefined && !/^data:/i.test(uri);
}

function bufferReference(uri: string): WrittenReference {
  const path = pathOfUri(uri);
  if (path !== undefined) return { kind: 'buffer', uri, paths: [...new Set([path, ...otherPaths(uri)])] };
  const message = `The model takes geometry from '${shorten(uri)}', outside of its folder. Put the file beside the model and refer to it there.`;
  throw new ConversionError('input_refused', message);
}

function textureReference(uri: string): WrittenReference {
  const path = pathOfUri(uri);
  return { kind: 'texture', uri, paths: [...new Set([...(path === undefined ? [] : [path]), ...otherPaths(uri)])] };
}

/** Where a file may lie besides: paths of other machines, names that look like escapes, and what a web server is asked. */
function otherPaths(uri: string): string[] {
  return [...storedUriPaths(uri), ...storedUriPaths(uri.replace(/[?#].*$/s, ''))];
}

function shorten(uri: string): string {
  return uri.length > 200 ? `${uri.slice(0, 200)}…` : uri;
}
