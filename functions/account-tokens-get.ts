import { accountAnswer, serve } from '#lib/http';
import { accountToken } from '#lib/pipeline';
import { plainFront } from './services.ts';

/** `GET /accounts/{accountId}/token`: the Mixed Reality STS, as the retired service spoke it (contract 4.1). */
serve('account-tokens-get', plainFront, async ({ services, parameters: { accountId }, request }) => {
  const authorization = request.headers.get('authorization');
  const outcome = await accountToken(services, accountId, authorization, () => services.callers.identify(request));
  if ('token' in outcome) return accountAnswer(200, { AccessToken: outcome.token });
  const wait = 'retryAfterSeconds' in outcome && { 'Retry-After': String(outcome.retryAfterSeconds) };
  return accountAnswer(outcome.status, undefined, { ...wait });
});
