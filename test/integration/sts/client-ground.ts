import { MixedRealityStsClient, type StsClientOptions, type StsCredential } from '#lib/sts';
import { type Answer, answerToken, type StsServer, startStsServer } from './sts-server.ts';

export const ACCOUNT = '0f8fad5b-d9cb-469f-a165-70867728950e';
export const KEY = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I=';
export const DAY = 86_400;

/** Clients of one STS on loopback, with a clock that stands still but for `pass`, and waits that are over at once. */
export interface ClientGround extends AsyncDisposable {
  readonly sts: StsServer;
  /** The waits between tries, in milliseconds. */
  readonly waits: readonly number[];
  client(credential?: StsCredential, options?: StsClientOptions): MixedRealityStsClient;
  now(): Date;
  pass(seconds: number): void;
  /** A new token that lives for so long from now. */
  tokenFor(seconds: number): Answer;
}

export async function clientGround(): Promise<ClientGround> {
  const sts = await startStsServer();
  const waits: number[] = [];
  let at = Date.UTC(2026, 0, 1);
  let tokens = 0;
  const now = () => new Date(at);
  return {
    sts,
    waits,
    now,
    pass: (seconds) => {
      at += seconds * 1000;
    },
    tokenFor: (seconds) => (response, request) => {
      tokens += 1;
      answerToken({ exp: at / 1000 + seconds, jti: tokens })(response, request);
    },
    client: (credential = { key: KEY }, options = {}) =>
      new MixedRealityStsClient(ACCOUNT, 'example.org', credential, {
        authenticationEndpointUrl: sts.url,
        now,
        wait: async (milliseconds) => {
          waits.push(milliseconds);
        },
        ...options,
      }),
    [Symbol.asyncDispose]: () => sts[Symbol.asyncDispose](),
  };
}
