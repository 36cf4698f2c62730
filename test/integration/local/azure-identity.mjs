// A client with the real @azure/identity, in a process of its own: what it keeps of tokens is the whole process's.
// Its one argument is a job as JSON; it prints what came of it as JSON.
import { ClientSecretCredential, ManagedIdentityCredential } from '@azure/identity';
import { createRemoteJWKSet, jwtVerify } from 'jose';

const job = JSON.parse(process.argv[2] ?? '{}');

function credential() {
  if (job.credential === 'managed-identity') return new ManagedIdentityCredential(job.identity ?? {});
  const { authorityHost, tenantId, clientId, clientSecret } = job;
  return new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost,
    disableInstanceDiscovery: true,
  });
}

async function verify({ token, authority, tenantId, audience }) {
  const configuration = await fetch(`${authority}/${tenantId}/v2.0/.well-known/openid-configuration`);
  const { issuer, jwks_uri } = await configuration.json();
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(jwks_uri)), { issuer, audience });
  return payload;
}

try {
  const ask = credential();
  const { token, expiresOnTimestamp } = await ask.getToken(job.scope);
  const again = await ask.getToken(job.scope);
  const claims = job.verify === undefined ? undefined : await verify({ token, ...job.verify });
  console.log(JSON.stringify({ token, expiresOnTimestamp, kept: again.token === token, claims }));
} catch (error) {
  console.log(JSON.stringify({ error: { name: error.name, message: error.message } }));
}
