import { APP_ROLES, TENANT_ID } from './directory.ts';
import { IdentityError } from './identity-error.ts';
import { readSigningKey } from './state.ts';
import { signUserToken } from './tokens.ts';

export type RoleName = keyof typeof APP_ROLES;

export interface DevelopmentToken {
  /** Of the stack. */
  readonly directory: string;
  /** The running stack's, as its endpoints say. */
  readonly authority: string;
  readonly tenantId: string;
  readonly role: RoleName;
  readonly name: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
  readonly now: Date;
}

/**
 * An access token of a user who is signed in on this machine, signed with the key of the stack in `directory`.
 * @throws IdentityError where there is no such key, or the stack is another version's
 */
export async function signDevelopmentToken(token: DevelopmentToken): Promise<string> {
  const signingKey = await readSigningKey(token.directory);
  if (signingKey === undefined || token.tenantId !== TENANT_ID) {
    const message = `The stack in ${token.directory} has no key to sign with: restart it with "npm start", then ask again.`;
    throw new IdentityError(message);
  }
  const issuer = { authority: token.authority, signingKey, now: () => token.now };
  const user = { name: token.name, roles: [APP_ROLES[token.role]] };
  return await signUserToken(issuer, user, token.audience, token.lifetimeSeconds);
}
