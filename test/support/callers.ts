import { readFile } from 'node:fs/promises';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { APP_AUDIENCE } from '../../infra/local/app-settings.ts';
import type { StackEndpoints } from '../../infra/local/endpoints.ts';
import { type RoleName, signDevelopmentToken } from '../../infra/local/identity/index.ts';

const TOKEN_SECONDS = 3600;

const applicationsContent = z.object({
  authority: z.string(),
  tenantId: z.string(),
  scope: z.string(),
  applications: z.array(
    z.object({ name: z.string(), clientId: z.string(), clientSecret: z.string(), roles: z.array(z.string()) }),
  ),
  managedIdentity: z.object({
    endpoint: z.string(),
    header: z.string(),
    identities: z.array(z.object({ name: z.string(), clientId: z.string(), principalId: z.string() })),
  }),
});
export type Applications = z.output<typeof applicationsContent>;

/** Who may call the app of a stack in `directory`. */
export interface Callers {
  /** A token of somebody who is signed in on this machine, good for an hour. */
  tokenFor(role: RoleName, name: string): Promise<string>;
  /** By what records and tokens call that person. */
  subjectOf(name: string): Promise<string>;
  /** A token that an application obtains from the stack's authority with its secret. */
  applicationToken(name: string): Promise<string>;
  applications(): Promise<Applications>;
}

export function callersOf(endpoints: StackEndpoints, directory: string): Callers {
  const { authority, tenantId } = endpoints;
  const tokenFor = (role: RoleName, name: string) => {
    const whose = { directory, authority, tenantId, role, name, audience: APP_AUDIENCE };
    return signDevelopmentToken({ ...whose, lifetimeSeconds: TOKEN_SECONDS, now: new Date() });
  };
  return {
    tokenFor,
    subjectOf: async (name) => z.string().parse(decodeJwt(await tokenFor('client', name))['oid']),
    applicationToken: (name) => applicationToken(endpoints, name),
    applications: () => readApplications(endpoints),
  };
}

/** A token that an application obtains from a stack's authority with its secret: client credentials, as RFC 6749, 4.4 has them. */
export async function applicationToken(endpoints: StackEndpoints, name: string): Promise<string> {
  const { authority, tenantId, scope, applications } = await readApplications(endpoints);
  const application = applications.find((each) => each.name === name);
  if (application === undefined) throw new Error(`There is no application ${name}.`);
  const { clientId, clientSecret } = application;
  const response = await fetch(`${authority}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope,
    }),
  });
  return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
}

/** What the file of credentials holds that a stack's endpoints name. */
export async function readApplications({ applicationsFile }: StackEndpoints): Promise<Applications> {
  return applicationsContent.parse(JSON.parse(await readFile(applicationsFile, 'utf8')));
}
