import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { answerWhenSaved } from '../../../infra/local/durable-answers.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

async function serve(save: () => Promise<void>): Promise<string> {
  const server = createServer((_request, response) => {
    response.statusCode = _request.url === '/refused' ? 409 : 201;
    response.write('a');
    response.end('b');
  });
  server.prependListener('request', (request, response) => answerWhenSaved(request, response, save));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
}

test.each(['PUT', 'POST', 'PATCH', 'MERGE', 'DELETE'])(
  'Not even the head of the answer to a %s leaves before it is saved',
  async (method) => {
    const saving = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const url = await serve(() => {
      asked.resolve();
      return saving.promise;
    });
    let answered = false;
    const answer = fetch(url, { method }).then((response) => {
      answered = true;
      return response;
    });
    await asked.promise;
    expect(answered).toBe(false);
    saving.resolve();
    const response = await answer;
    expect([response.status, await response.text()]).toEqual([201, 'ab']);
  },
);

test('Reads and refused writes are answered without a save', async () => {
  const url = await serve(() => Promise.reject(new Error('must not save')));
  expect(await (await fetch(url)).text()).toBe('ab');
  expect((await fetch(`${url}/refused`, { method: 'PUT' })).status).toBe(409);
});

test('A write that cannot be saved is not acknowledged: the connection is cut', async () => {
  const url = await serve(() => Promise.reject(new Error('disk full')));
  await expect(fetch(url, { method: 'PUT' })).rejects.toThrow();
});
