import type { Answer, IdentityRequest } from './http.ts';
import { isSameSecret } from './is-same-secret.ts';
import { type OAuthError, oauthError } from './oauth-error.ts';
import type { FindResource, Resource } from './resources.ts';
import type { RegisteredApplication } from './state.ts';
import { type Issuer, signAppToken } from './tokens.ts';

export interface ClientCredentialsOptions {
  readonly issuer: Issuer;
  readonly applications: readonly RegisteredApplication[];
  readonly findResource: FindResource;
}

const LIFETIME_SECONDS = 3600;
const DEFAULT_SCOPE = '/.default';

interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * The client credentials flow with a secret
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow).
 */
export async function clientCredentials(request: IdentityRequest, options: ClientCredentialsOptions): Promise<Answer> {
  const form = new URLSearchParams(request.body);
  const granted = grant(request, form, options);
  if ('code' in granted) {
    const named = request.headers['client-request-id'];
    const clientRequestId = typeof named === 'string' ? named : request.url.searchParams.get('client-request-id');
    return oauthError(granted, clientRequestId ?? form.get('client-request-id'), options.issuer.now());
  }
  const { clientId, objectId, roles } = granted.application;
  const principal = { clientId, objectId, roles, authentication: '1' } as const;
  // Clients are told a second less than the token holds, so that none uses it too late.
  const expiresIn = LIFETIME_SECONDS - 1;
  const body = {
    token_type: 'Bearer',
    expires_in: expiresIn,
    ext_expires_in: expiresIn,
    access_token: await signAppToken(options.issuer, principal, granted.resource, LIFETIME_SECONDS),
  };
  return { status: 200, body };
}

function grant(
  { headers }: IdentityRequest,
  form: URLSearchParams,
  { applications, findResource }: ClientCredentialsOptions,
): { readonly application: RegisteredApplication; readonly resource: Resource } | OAuthError {
  const grantType = form.get('grant_type');
  if (grantType === null) return missing('grant_type');
  if (grantType !== 'client_credentials') return unsupportedGrant;
  const credentials = credentialsOf(headers.authorization, form);
  if ('code' in credentials) return credentials;
  const application = applications.find(({ clientId }) => clientId === credentials.clientId.toLowerCase());
  if (application === undefined) return unknownApplication;
  if (!isSameSecret(credentials.clientSecret, application.clientSecret)) return wrongSecret;
  const [scope, ...more] = (form.get('scope') ?? '').split(/\s+/).filter((word) => word !== '');
  if (scope === undefined) return missing('scope');
  if (more.length > 0 || !scope.endsWith(DEFAULT_SCOPE)) return wrongScope;
  const resource = findResource(scope.slice(0, -DEFAULT_SCOPE.length));
  return resource === undefined ? unknownResource : { application, resource };
}

/** Of the form, or of HTTP Basic (RFC 6749, 2.3.1), which encodes both parts like a form. */
function credentialsOf(authorization: string | undefined, form: URLSearchParams): Credentials | OAuthError {
  const inForm = { clientId: form.get('client_id'), clientSecret: form.get('client_secret') };
  if (authorization === undefined) {
    const { clientId, clientSecret } = inForm;
    if (!clientId) return missing('client_id');
    return clientSecret ? { clientId, clientSecret } : withoutSecret;
  }
  const basic = basicCredentials(authorization);
  if (basic === undefined) return malformedBasic;
  const differs = inForm.clientId !== null && inForm.clientId !== basic.clientId;
  return differs || inForm.clientSecret !== null ? twoCredentials : basic;
}

function basicCredentials(authorization: string): Credentials | undefined {
  const [, encoded] = /^Basic +([A-Za-z\d+/]+=*)$/i.exec(authorization) ?? [];
  if (encoded === undefined) return undefined;
  const [clientId = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  try {
    const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '));
    return { clientId: decode(clientId), clientSecret: decode(rest.join(':')) };
  } catch {
    return undefined;
  }
}

function missing(parameter: string): OAuthError {
  const description = `The request body must contain the following parameter: '${parameter}'.`;
  return { status: 400, error: 'invalid_request', code: 900144, description };
}

const unsupportedGrant: OAuthError = {
  status: 400,
  error: 'unsupported_grant_type',
  code: 70003,
  description: 'The app requested an unsupported grant type. This authority knows client_credentials alone.',
};
const unknownApplication: OAuthError = {
  status: 400,
  error: 'unauthorized_client',
  code: 700016,
  description: 'Application with the given identifier was not found in the directory. Check client_id.',
};
const wrongSecret: OAuthError = {
  status: 401,
  error: 'invalid_client',
  code: 7000215,
  description: 'Invalid client secret provided. Ensure the secret being sent is the one of this application.',
};
const withoutSecret: OAuthError = {
  status: 401,
  error: 'invalid_client',
  code: 7000218,
  description: "The request body must contain the following parameter: 'client_secret'.",
};
const malformedBasic: OAuthError = {
  status: 401,
  error: 'invalid_client',
  code: 7000215,
  description: 'Invalid client secret provided. The Authorization header is not one of HTTP Basic.',
};
const twoCredentials: OAuthError = {
  status: 400,
  error: 'invalid_request',
  code: 90100,
  description: 'The client must authenticate in one way: in the Authorization header or in the request body.',
};
const wrongScope: OAuthError = {
  status: 400,
  error: 'invalid_scope',
  code: 1002012,
  description:
    'Client credential flows must have exactly one scope, with /.default suffixed to the resource identifier.',
};
const unknownResource: OAuthError = {
  status: 400,
  error: 'invalid_resource',
  code: 500011,
  description: 'The resource principal was not found in the tenant. Check what stands before /.default in scope.',
};
