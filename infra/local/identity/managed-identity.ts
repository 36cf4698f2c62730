import { type ManagedIdentity, SYSTEM_ASSIGNED, USER_ASSIGNED, WEB_PUBSUB } from './directory.ts';
import type { Answer, IdentityRequest, Respond } from './http.ts';
import { isSameSecret } from './is-same-secret.ts';
import type { FindResource } from './resources.ts';
import { type Issuer, signAppToken } from './tokens.ts';

export interface ManagedIdentityOptions {
  readonly issuer: Issuer;
  /** What `X-IDENTITY-HEADER` must hold for tokens of the app's identities. */
  readonly identityHeader: string;
  /** What it must hold for tokens of Web PubSub's own. */
  readonly webPubSubHeader: string;
  readonly findResource: FindResource;
}

export const MANAGED_IDENTITY_PATH = '/msi/token';

const API_VERSION = '2019-08-01';
/** As Azure's: 24 hours. */
const LIFETIME_SECONDS = 86_400;

/** By which claim of its own an identity is asked for. Names in Azure do not tell upper and lower case apart. */
const IDENTIFIERS = {
  client_id: ({ clientId }: ManagedIdentity) => clientId,
  object_id: ({ principalId }: ManagedIdentity) => principalId,
  principal_id: ({ principalId }: ManagedIdentity) => principalId,
  mi_res_id: ({ resourceId }: ManagedIdentity) => resourceId,
} as const;

/** What may be asked for by whoever knows a header: of a resource in Azure, its identities. */
interface Resident {
  readonly header: string;
  readonly systemAssigned: ManagedIdentity;
  readonly userAssigned: readonly ManagedIdentity[];
}

/**
 * The endpoint that App Service gives an app to get tokens of its managed identities from
 * (https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference).
 * An identity that is not there is 400 and a wrong header 401, neither of which a client tries again.
 */
export function managedIdentityEndpoint(options: ManagedIdentityOptions): Respond {
  const residents: readonly Resident[] = [
    { header: options.identityHeader, systemAssigned: SYSTEM_ASSIGNED, userAssigned: USER_ASSIGNED },
    { header: options.webPubSubHeader, systemAssigned: WEB_PUBSUB, userAssigned: [] },
  ];
  return async (request) => {
    const resident = residentOf(request, residents);
    return 'status' in resident ? resident : await giveToken(request, resident, options);
  };
}

function residentOf({ method, url, headers }: IdentityRequest, residents: readonly Resident[]): Resident | Answer {
  // A browser, or a proxy that somebody outside talks to, must not fetch tokens from here.
  if (headers.origin !== undefined || headers['x-forwarded-for'] !== undefined) {
    return error(403, 'The endpoint answers only programs on this machine, and directly.');
  }
  const shown = headers['x-identity-header'];
  const resident = residents.find(({ header }) => typeof shown === 'string' && isSameSecret(shown, header));
  if (resident === undefined) {
    return error(401, 'X-IDENTITY-HEADER is missing or wrong: it must hold the value of IDENTITY_HEADER.');
  }
  if (url.pathname !== MANAGED_IDENTITY_PATH) return error(404, `There is only ${MANAGED_IDENTITY_PATH} here.`);
  if (method !== 'GET') return { ...error(405, 'Only GET is answered here.'), headers: { allow: 'GET' } };
  return resident;
}

async function giveToken(
  { url }: IdentityRequest,
  resident: Resident,
  { issuer, findResource }: ManagedIdentityOptions,
): Promise<Answer> {
  const query = url.searchParams;
  if (query.get('api-version') !== API_VERSION) return error(400, `api-version must be ${API_VERSION}.`);
  const asked = query.getAll('resource');
  const [name = ''] = asked;
  if (asked.length !== 1 || name === '') return error(400, 'resource must be given, once.');
  const identity = identityOf(query, resident);
  if ('status' in identity) return identity;
  const resource = findResource(name);
  if (resource === undefined) {
    return error(400, 'AADSTS500011: The resource principal was not found in the tenant: check resource.');
  }
  const { clientId, principalId: objectId, resourceId, roles } = identity;
  const principal = { clientId, objectId, resourceId, roles, authentication: '2' } as const;
  const expiresOn = Math.floor(issuer.now().getTime() / 1000) + LIFETIME_SECONDS;
  const body = {
    access_token: await signAppToken(issuer, principal, resource, LIFETIME_SECONDS),
    expires_on: String(expiresOn),
    // Exactly as asked: clients keep a token under this name.
    resource: name,
    token_type: 'Bearer',
    client_id: clientId,
  };
  return { status: 200, body };
}

function identityOf(query: URLSearchParams, { systemAssigned, userAssigned }: Resident): ManagedIdentity | Answer {
  const given = Object.entries(IDENTIFIERS).flatMap(([name, read]) =>
    query.getAll(name).map((value) => ({ value: value.toLowerCase(), read })),
  );
  const [id] = given;
  if (id === undefined) return systemAssigned;
  if (given.length > 1) return error(400, `Only one of ${Object.keys(IDENTIFIERS).join(', ')} may be given.`);
  return (
    userAssigned.find((identity) => id.read(identity).toLowerCase() === id.value) ??
    error(400, 'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.')
  );
}

function error(statusCode: number, message: string): Answer {
  process.stderr.write(`Managed identity refused, ${statusCode}: ${message}\n`);
  return { status: statusCode, body: { statusCode, message } };
}
