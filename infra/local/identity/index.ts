export { type RoleName, signDevelopmentToken } from './development-token.ts';
export { IdentityError } from './identity-error.ts';
export { type PreparedIdentity, prepareIdentity } from './state.ts';
