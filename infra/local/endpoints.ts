import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from './json-file.ts';

/** What `endpoints.json` in the stack's directory holds while the stack is up. Nothing in it is secret. */
export const stackEndpoints = z
  .object({
    /** URLs, like all that follow, without a slash at their end. */
    app: z.string(),
    /** The same app; absent under Core Tools, which serve HTTP alone. */
    appHttps: z.string().optional(),
    /** Absolute path of the PEM file whose certificate signs all that is served over HTTPS here. */
    caCertificate: z.string(),
    /** Stands where Microsoft Entra stands. */
    authority: z.string(),
    tenantId: z.string(),
    /** The account that the app issues Mixed Reality tokens for. */
    accountId: z.string(),
    accountDomain: z.string(),
    /** Absolute path of the file that holds the account's primary key and nothing else. */
    accountKeyFile: z.string(),
    /** Absolute path of the file with the credentials of applications and managed identities. */
    applicationsFile: z.string(),
    /** Absolute path of the file with the key to the routes that are the host's own, as the webhook that Event Grid calls. */
    systemKeyFile: z.string(),
    /** Live events: the endpoint of Web PubSub, and the hub. */
    webPubSub: z.string(),
    hub: z.string(),
    blob: z.string(),
    queue: z.string(),
    table: z.string(),
  })
  .readonly();

/** Where a stack answers, and where its certificates and keys lie. */
export type StackEndpoints = z.output<typeof stackEndpoints>;

export function endpointsFile(directory: string): string {
  return join(directory, 'endpoints.json');
}

/** Where the stack of a directory answers; undefined while it does not. */
export async function readEndpoints(directory: string): Promise<StackEndpoints | undefined> {
  return await readJson(endpointsFile(directory), stackEndpoints);
}
