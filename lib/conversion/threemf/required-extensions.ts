import { refused } from '../reading/refused.ts';
import type { XmlAttributes } from '../reading/xml.ts';
import { listOf } from './xml-values.ts';

/** Of namespaces that are read, or of which it is told where they are used. */
const known =
  /\/(?:material|production|slice|beamlattice|trianglesets|securecontent|volumetric|implicit|displacement|booleanoperations|toolpath)\b/;

/** Prefixes beyond these are nobody's. */
const MOST = 32;

/**
 * The namespaces that a model says must be known to read it, and are not. By the specification it is to be refused then; what it has besides is
 * shown nevertheless, as it is by viewers: its producer asks for the care that a print takes.
 * @throws ConversionError `input_refused` for a prefix that stands for no namespace
 */
export function requiredButUnknown(attributes: XmlAttributes): string[] {
  const prefixes = listOf(attributes, 'requiredextensions').slice(0, MOST);
  const namespaces = prefixes.map((prefix) => {
    const namespace = /^[\w-]+$/.test(prefix) ? attributes.get(`xmlns:${prefix}`) : undefined;
    if (namespace !== undefined) return namespace;
    throw refused(`it requires an extension '${prefix.slice(0, 40)}', a prefix that stands for no namespace in it.`);
  });
  return namespaces.filter((namespace) => !known.test(namespace)).map((namespace) => namespace.slice(0, 200));
}
