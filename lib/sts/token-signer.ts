import type { JWTPayload } from 'jose';

/**
 * The seam between the issuer and whoever holds the keys that tokens are signed with: a file here, a key vault elsewhere.
 *
 * Tokens are JWS by RS256 with `kid`, `x5t` and `typ: JWT` in the header. A key is known before it signs and until the last
 * token that it signed has expired, unless it is revoked: then it is neither known nor used from that moment.
 * Which keys are revoked is not the signer's to decide; whoever makes one hands in how to ask.
 */
export interface TokenSigner {
  /** The claims as a signed token. @throws StsError `key_file` where the keys cannot be used */
  sign(claims: JWTPayload): Promise<string>;

  /** All keys that a good token may be signed with, as a JWKS shows them, in no special order. */
  publicKeys(): Promise<readonly PublicJwk[]>;

  /** One of them by its `kid`; undefined for any other, also for text that is none. Finds a key that another process has just made. */
  publicKey(kid: string): Promise<PublicJwk | undefined>;
}

/** An RSA key as RFC 7517 writes it, without any of its private parts. */
export interface PublicJwk {
  readonly kty: 'RSA';
  readonly use: 'sig';
  readonly alg: 'RS256';
  /** 40 upper-case hex digits: the SHA-1 of the public key (DER of its SubjectPublicKeyInfo), where the retired service had its certificate's. */
  readonly kid: string;
  /** The same 20 bytes in base64url. */
  readonly x5t: string;
  readonly n: string;
  readonly e: string;
}
