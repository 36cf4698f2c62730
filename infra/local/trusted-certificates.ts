import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { writePrivate } from './identity/private-file.ts';

const trusted = new Set<string>();

/**
 * Makes this process trust a certificate from here on, beside those it trusts already: `NODE_EXTRA_CA_CERTS` is read at a process' start.
 * Connections that are open stay as they are.
 * @param path a PEM file
 */
export async function trustCertificate(path: string): Promise<void> {
  const certificate = await readFile(path, 'utf8');
  if (trusted.has(certificate)) return;
  trusted.add(certificate);
  setDefaultCACertificates([...getCACertificates('default'), certificate]);
}

/**
 * The file for a child's `NODE_EXTRA_CA_CERTS`. The variable takes one file, so where the caller has one already it is a new file in
 * `directory` that holds both; one that cannot be read is left out, as Node itself would.
 * @param callers the variable in the caller's environment
 */
export async function extraCertificates(
  directory: string,
  caCertificate: string,
  callers: string | undefined,
): Promise<string> {
  const own = await readFile(caCertificate, 'utf8');
  const others = callers && resolve(callers) !== caCertificate ? await readFile(callers, 'utf8').catch(() => '') : '';
  if (others === '') return caCertificate;
  const bundle = join(directory, 'extra-ca-certificates.pem');
  await writePrivate(bundle, `${own.trimEnd()}\n${others}`);
  return bundle;
}
