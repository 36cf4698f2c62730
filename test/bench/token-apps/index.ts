import { app } from '@azure/functions';
import { MixedRealityStsClient } from '../../../lib/sts/index.ts';

/** What the same host does at best: a function that says hello. */
app.http('hello', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async () => ({ jsonBody: { hello: 'world' } }),
});

/** What a web service does that asks the STS for each of its callers anew. */
app.http('exchange', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async () => {
    const [accountId = '', accountDomain = '', authenticationEndpointUrl = ''] = (process.env['BENCH_STS'] ?? '').split(
      ' ',
    );
    const credential = { getToken: async () => ({ token: 'bench', expiresOnTimestamp: Date.now() + 3_600_000 }) };
    const client = new MixedRealityStsClient(accountId, accountDomain, credential, { authenticationEndpointUrl });
    return { jsonBody: await client.getToken() };
  },
});
