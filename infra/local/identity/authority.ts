import { type ClientCredentialsOptions, clientCredentials } from './client-credentials.ts';
import { TENANT_ID } from './directory.ts';
import type { Answer, IdentityRequest, Respond } from './http.ts';
import { oauthError } from './oauth-error.ts';
import { issuerOf } from './tokens.ts';

type Endpoint = (request: IdentityRequest, options: ClientCredentialsOptions) => Answer | Promise<Answer>;

/** Methods and paths below the tenant; what is read, below a name that stands for any tenant too. */
const TENANT_ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  'GET /v2.0/.well-known/openid-configuration': openIdConfiguration,
  'GET /.well-known/openid-configuration': openIdConfiguration,
  'GET /discovery/v2.0/keys': keys,
  'POST /oauth2/v2.0/token': clientCredentials,
};
const ANY_TENANT: ReadonlySet<string> = new Set(['common', 'organizations']);

/**
 * The part of Microsoft Entra that a client and an app need: the OpenID configuration, the keys that tokens are signed with, tokens for
 * applications, and instance discovery, which says that this host is an authority.
 */
export function authorityEndpoints(options: ClientCredentialsOptions): Respond {
  return async (request) => {
    const { method, url } = request;
    // Of a HEAD request the server sends the headers alone.
    const verb = method === 'HEAD' ? 'GET' : method;
    if (verb === 'GET' && url.pathname === '/common/discovery/instance') return discoverInstance(options);
    if (verb === 'GET' && url.pathname === '/.well-known/openid-configuration')
      return openIdConfiguration(request, options);
    const [, tenant = '', path = ''] = /^\/([^/]+)(\/.+)$/.exec(url.pathname) ?? [];
    const endpoint = TENANT_ENDPOINTS[`${verb} ${path}`];
    if (endpoint === undefined) return notFound;
    const name = tenant.toLowerCase();
    const known = name === TENANT_ID || (verb === 'GET' && ANY_TENANT.has(name));
    return known ? await endpoint(request, options) : unknownTenant(options);
  };
}

function openIdConfiguration(_request: IdentityRequest, { issuer: { authority } }: ClientCredentialsOptions): Answer {
  const tenant = `${authority}/${TENANT_ID}`;
  const body = {
    issuer: issuerOf(authority),
    authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${tenant}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    jwks_uri: `${tenant}/discovery/v2.0/keys`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: ['client_credentials'],
    scopes_supported: ['openid'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    claims_supported: ['aud', 'exp', 'iat', 'iss', 'name', 'oid', 'preferred_username', 'sub', 'tid', 'ver'],
  };
  return { status: 200, body };
}

function keys(_request: IdentityRequest, { issuer: { authority, signingKey } }: ClientCredentialsOptions): Answer {
  const { kty, n, e } = signingKey.publicKey.export({ format: 'jwk' });
  const key = { kty, use: 'sig', alg: 'RS256', kid: signingKey.id, n, e, issuer: issuerOf(authority) };
  return { status: 200, body: { keys: [key] } };
}

function discoverInstance({ issuer: { authority } }: ClientCredentialsOptions): Answer {
  const { host } = new URL(authority);
  const body = {
    tenant_discovery_endpoint: `${authority}/${TENANT_ID}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
  return { status: 200, body };
}

const notFound: Answer = {
  status: 404,
  body: { error: 'not_found', error_description: 'This authority has no such endpoint.' },
};

function unknownTenant({ issuer }: ClientCredentialsOptions): Answer {
  const description = `Tenant not found. This authority knows ${TENANT_ID} alone.`;
  return oauthError({ status: 400, error: 'invalid_tenant', code: 90002, description }, null, issuer.now());
}
