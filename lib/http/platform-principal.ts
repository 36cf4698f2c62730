import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import { rolesAmong } from '#lib/api';
import type { Caller } from './caller.ts';
import { unauthenticated } from './problem.ts';

const TENANT = 'http://schemas.microsoft.com/identity/claims/tenantid';
const OBJECT_ID = 'http://schemas.microsoft.com/identity/claims/objectidentifier';
const MAX_HEADER_LENGTH = 16_384;

const principal = z.object({
  auth_typ: z.literal('aad'),
  role_typ: z.string().default('roles'),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
});
const subject = z.string().regex(/^[A-Za-z0-9._@:-]{1,128}$/);

/**
 * The caller whom App Service authentication vouches for, by its header; undefined where it names nobody. Only to be asked where the
 * platform is in front of every request and takes such headers from outside away.
 * @throws ProblemError 401
 */
export function platformPrincipal(request: HttpRequest, tenantIds: readonly string[]): Caller | undefined {
  const header = request.headers.get('x-ms-client-principal');
  if (header === null) return undefined;
  const parsed = principal.safeParse(decoded(header));
  if (!parsed.success) throw unauthenticated('The principal that the platform names is none of Microsoft Entra.');
  const { claims, role_typ } = parsed.data;
  const claimOf = (...types: string[]) => claims.find(({ typ }) => types.includes(typ))?.val;
  const tenantId = claimOf('tid', TENANT);
  if (tenantId === undefined || !tenantIds.includes(tenantId)) {
    throw unauthenticated('The tenant of the principal is not let in.');
  }
  const objectId = subject.safeParse(claimOf('oid', OBJECT_ID));
  if (!objectId.success) throw unauthenticated('The principal that the platform names has no object id.');
  const roles = claims.filter(({ typ }) => typ === 'roles' || typ === role_typ).map(({ val }) => val);
  return { subject: objectId.data, tenantId, roles: rolesAmong(roles) };
}

function decoded(header: string): unknown {
  if (header.length > MAX_HEADER_LENGTH) return undefined;
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}
