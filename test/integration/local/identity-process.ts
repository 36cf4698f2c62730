import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Certificates, prepareCertificates } from '../../../infra/local/certificates.ts';
import { type RunningChild, startChild } from '../../../infra/local/child-process.ts';
import { type PreparedIdentity, prepareIdentity } from '../../../infra/local/identity/index.ts';
import { temporaryDirectory } from '../../support/stack.ts';

export const APP = 'api://remote-rendering-functions';
export const STORAGE = 'https://storage.azure.com';
export const STS = 'https://sts.localhost:8443';
export const HEADER = 'the-identity-header-of-this-test';
/** What Web PubSub shows for tokens of its own identity. */
export const WEB_PUBSUB_HEADER = 'the-header-of-web-pubsub-alone';

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
/** What `localhost` means on this machine. */
export const LOOPBACK = hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1'];

export const tokenAnswer = z.looseObject({ access_token: z.string() });

/** The managed-identity endpoint and the authority, in a directory of their own. */
export interface IdentityProcess {
  readonly directory: string;
  readonly certificates: Certificates;
  readonly known: PreparedIdentity;
  /** Every line that it has printed, and those of others that were started on the same directory. */
  readonly printed: readonly string[];
  /** Base URL, without a slash at its end. */
  readonly authority: string;
  /** What `IDENTITY_ENDPOINT` holds. */
  readonly endpoint: string;
  applicationOf(name: string): PreparedIdentity['applications'][number];
  identityOf(name: string): PreparedIdentity['managedIdentities'][number];
  /** Starts another process on the same directory. */
  startAnother(ports?: IdentityPorts): Promise<RunningChild>;
  stop(): Promise<void>;
}

interface IdentityPorts {
  readonly authority: number;
  readonly identity: number;
}

/** Starts it on free ports; this process trusts its certificate from then on. */
export async function startIdentity(): Promise<IdentityProcess> {
  const directory = await temporaryDirectory();
  const certificates = await prepareCertificates(directory.path, new Date());
  setDefaultCACertificates([...getCACertificates('default'), await readFile(certificates.caCertificate, 'utf8')]);
  const known = await prepareIdentity(directory.path);
  const printed: string[] = [];
  const { certificate, key } = certificates;
  const startAnother = (ports: IdentityPorts = { authority: 0, identity: 0 }) =>
    startChild({
      name: 'Identity',
      program: fileURLToPath(new URL('../../../infra/local/identity.ts', import.meta.url)),
      options: {
        directory: directory.path,
        ports,
        certificate,
        key,
        identityHeader: HEADER,
        webPubSubHeader: WEB_PUBSUB_HEADER,
        audiences: [APP, STS],
      },
      startMilliseconds: 10_000,
      onLog: (_name, line) => printed.push(line),
    });
  const child = await startAnother();
  return {
    directory: directory.path,
    certificates,
    known,
    printed,
    authority: child.endpoints['authority'] ?? '',
    endpoint: child.endpoints['identity'] ?? '',
    applicationOf: (name) => named(known.applications, name),
    identityOf: (name) => named(known.managedIdentities, name),
    startAnother,
    async stop() {
      await child.stop(2000);
      await directory.remove();
    },
  };
}

function named<Item extends { readonly name: string }>(items: readonly Item[], name: string): Item {
  const found = items.find((item) => item.name === name);
  if (found === undefined) throw new Error(`There is no ${name}.`);
  return found;
}
