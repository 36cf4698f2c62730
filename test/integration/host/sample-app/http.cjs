const { app } = require('@azure/functions');

app.http('home', { route: 'items', handler: async () => ({ jsonBody: { literal: true } }) });

app.http('item', {
  route: 'items/{id:int}/{part?}',
  methods: ['GET', 'PUT', 'DELETE', 'HEAD'],
  handler: async (request) => ({
    headers: { 'x-method': request.method },
    jsonBody: {
      params: request.params,
      query: Object.fromEntries(request.query),
      header: request.headers.get('x-sent'),
      url: request.url,
    },
  }),
});

app.http('named', { route: 'items/{name}', handler: async (request) => ({ jsonBody: { name: request.params.name } }) });
app.http('rest', { route: 'files/{*path}', handler: async (request) => ({ body: request.params.path ?? '(none)' }) });

app.http('bytes', {
  methods: ['POST'],
  handler: async (request) => {
    const bytes = Buffer.from(await request.arrayBuffer());
    return { status: 201, headers: { 'content-type': 'application/octet-stream' }, body: bytes.reverse() };
  },
});

app.http('cookies', {
  handler: async () => ({
    cookies: [
      { name: 'a', value: '1 2' },
      { name: 'b', value: 'x', httpOnly: true, sameSite: 'Lax', maxAge: 5 },
    ],
  }),
});

app.http('nothing', { handler: async () => undefined });
app.http('throws', {
  handler: async (_request, context) => {
    context.log('about to throw\nin two lines');
    throw new Error('secret detail');
  },
});
app.http('settings', {
  handler: async () => ({ jsonBody: { own: process.env.SAMPLE_SETTING, host: process.env.WEBSITE_HOSTNAME } }),
});
