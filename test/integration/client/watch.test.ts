import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { type LiveEvent, pipelineWithHistory } from '#lib/api';
import { RemoteRenderingClient } from '#lib/client';

const ID = 'watched';
const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 12, 0, second)).toISOString();
const entry = (sequence: number, state: string) => ({
  sequence,
  at: at(sequence),
  type: 'state',
  state,
  reason: null,
  evidence: null,
});

/** What the routes and the hub answer; tests change it as they go. */
interface Scene {
  pipeline: z.input<typeof pipelineWithHistory>;
  tokens: { status: number; type: string } | 'given';
  /** Called after each token that was refused. */
  onRefused?: () => void;
  /** What the hub does with a connection. */
  onConnection: (socket: WebSocket) => void;
}

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const pipelineOf = (states: readonly string[]): Scene['pipeline'] => ({
  id: ID,
  state: pipelineWithHistory.shape.state.parse(states.at(-1)),
  reason: null,
  evidence: null,
  stopAsked: false,
  model: 'a/a.glb',
  settings: null,
  progress: null,
  requestedSession: null,
  createdAt: at(0),
  updatedAt: at(0),
  owner: 'ada',
  readers: [],
  missingFiles: [],
  warnings: [],
  conversion: null,
  session: null,
  machine: null,
  history: states.map((state, index) => entry(index + 1, state)),
  conversionHistory: [],
  sessionHistory: [],
});
const frame = (kind: string, sequence: number, state: string) =>
  JSON.stringify({
    type: 'message',
    from: 'server',
    dataType: 'json',
    data: {
      specversion: '1.0',
      id: `${kind}/${ID}/${sequence}`,
      source: '/accounts/one',
      type: `remoterendering.${kind}.state`,
      subject: `/${kind}s/${ID}`,
      time: at(sequence),
      datacontenttype: 'application/json',
      data: { id: ID, state, sequence },
    } satisfies LiveEvent,
  });
const CONNECTED = '{"type":"system","event":"connected","connectionId":"c"}';

/** A loopback server of the two routes that a watch needs, and of the hub that its token leads to. */
async function serve(scene: Scene): Promise<RemoteRenderingClient> {
  const server = createServer((request, response) => {
    const refused = request.url === '/api/tokens/client' && scene.tokens !== 'given' ? scene.tokens : undefined;
    const { port } = z.object({ port: z.number() }).parse(server.address());
    const token = {
      url: `ws://127.0.0.1:${port}/client`,
      baseUrl: 'ws://x',
      token: 't',
      expiresOn: at(0),
      hub: 'h',
      userId: 'u',
      roles: [],
      groups: [],
    };
    const problem = refused && {
      type: `/problems/${refused.type}`,
      title: 'No',
      status: refused.status,
      detail: 'No.',
    };
    response.writeHead(refused?.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(problem ?? (request.url === '/api/tokens/client' ? token : scene.pipeline)));
    if (refused !== undefined) scene.onRefused?.();
  });
  const hub = new WebSocketServer({ server, handleProtocols: (protocols) => [...protocols][0] ?? false });
  hub.on('connection', (socket) => scene.onConnection(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    for (const socket of hub.clients) socket.terminate();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return new RemoteRenderingClient({ url: `http://127.0.0.1:${port}`, token: () => 'a-token' });
}

async function collect(watch: AsyncIterable<LiveEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { type, data } of watch)
    seen.push(`${type.replace('remoterendering.', '')} ${data.state} ${data.sequence}`);
  return seen;
}

describe('a watch', () => {
  test('tells the present state, then each event once, and ends with the pipeline', async () => {
    const client = await serve({
      pipeline: pipelineOf(['waiting', 'converting']),
      tokens: 'given',
      onConnection: (socket) => {
        socket.send(CONNECTED);
        const frames = [
          frame('pipeline', 2, 'converting'),
          'no JSON',
          frame('conversion', 1, 'running'),
          frame('conversion', 1, 'running'),
        ];
        for (const each of [...frames, frame('pipeline', 3, 'converted'), frame('pipeline', 4, 'never')])
          socket.send(each);
      },
    });
    expect(await collect(client.watch(ID))).toEqual([
      'pipeline.present converting 2',
      'conversion.state running 1',
      'pipeline.state converted 3',
    ]);
  });

  test('tells what the record as it was read has not, however the two are torn', async () => {
    const torn = { ...pipelineOf(['waiting', 'converting', 'converted']), state: 'converting' as const };
    const client = await serve({ pipeline: torn, tokens: 'given', onConnection: (socket) => socket.send(CONNECTED) });
    expect(await collect(client.watch(ID))).toEqual(['pipeline.present converted 3']);
  });

  test('reads what happened while the connection was lost, also to the conversion and the session', async () => {
    const sockets: WebSocket[] = [];
    const scene: Scene = {
      pipeline: { ...pipelineOf(['waiting', 'converting']), conversionHistory: [entry(1, 'not_started')] },
      tokens: 'given',
      onConnection: (socket) => {
        sockets.push(socket);
        socket.send(CONNECTED);
      },
    };
    const watch = (await serve(scene)).watch(ID)[Symbol.asyncIterator]();
    expect(await watch.next()).toMatchObject({ value: { data: { state: 'converting' } } });
    scene.pipeline = {
      ...pipelineOf(['waiting', 'converting', 'starting', 'failed']),
      conversionHistory: [entry(1, 'not_started'), entry(2, 'succeeded')],
      sessionHistory: [entry(1, 'starting')],
    };
    sockets[0]?.terminate();
    const seen = await collect({ [Symbol.asyncIterator]: () => watch });
    expect(seen.at(-1)).toBe('pipeline.state failed 4');
    expect(new Set(seen)).toContain('session.state starting 1');
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('that is read too slowly lets its connection go, and reads what it missed once it is read on', async () => {
    const scene: Scene = {
      pipeline: pipelineOf(['waiting', 'converting']),
      tokens: 'given',
      onConnection: (socket) => {
        socket.send(CONNECTED);
        if (scene.pipeline.state === 'converted') return;
        for (let sequence = 1; sequence <= 10_010; sequence += 1) socket.send(frame('session', sequence, 'ready'));
        closed.push(new Promise((resolve) => socket.once('close', resolve)));
      },
    };
    const closed: Promise<unknown>[] = [];
    const watch = (await serve(scene)).watch(ID)[Symbol.asyncIterator]();
    expect(await watch.next()).toMatchObject({ value: { data: { state: 'converting' } } });
    // Nobody reads on: that is what ends the connection.
    await closed[0];
    const ended = pipelineOf(['waiting', 'converting', 'converted']);
    const sessionHistory = Array.from({ length: 10_010 }, (_, index) => ({ ...entry(index + 1, 'ready'), at: at(2) }));
    scene.pipeline = { ...ended, sessionHistory };
    const seen = await collect({ [Symbol.asyncIterator]: () => watch });
    expect(seen.filter((line) => line.startsWith('session'))).toHaveLength(10_010);
    expect(seen).toContain('pipeline.state converted 3');
  });

  test('hears of an end before the session’s, which Web PubSub has not got yet, and tells the session’s first', async () => {
    let send: (text: string) => void = () => undefined;
    const scene: Scene = {
      pipeline: { ...pipelineOf(['waiting', 'ready']), sessionHistory: [entry(1, 'ready')] },
      tokens: 'given',
      onConnection: (socket) => {
        send = (text) => socket.send(text);
        send(CONNECTED);
      },
    };
    const client = await serve(scene);
    const watch = client.watch(ID)[Symbol.asyncIterator]();
    expect((await watch.next()).value).toMatchObject({ data: { state: 'ready' } });
    const end = { ...entry(3, 'stopped'), at: at(9) };
    scene.pipeline = {
      ...pipelineOf(['waiting', 'ready', 'stopped']),
      history: [...scene.pipeline.history, end],
      sessionHistory: [entry(1, 'ready'), entry(4, 'stopping'), { ...entry(5, 'stopped'), at: end.at }],
    };
    send(frame('pipeline', 3, 'stopped'));
    expect(await collect({ [Symbol.asyncIterator]: () => watch })).toEqual([
      'session.state stopping 4',
      'session.state stopped 5',
      'pipeline.state stopped 3',
    ]);
  });

  test('whose peer has fallen silent ends at once when it is not wanted any more', async () => {
    const stop = new AbortController();
    const client = await serve({
      pipeline: pipelineOf(['waiting']),
      tokens: 'given',
      onConnection: (socket) => socket.send(CONNECTED),
    });
    const watch = client.watch(ID, { signal: stop.signal })[Symbol.asyncIterator]();
    await watch.next();
    const next = watch.next();
    stop.abort();
    const began = performance.now();
    expect((await next).done).toBe(true);
    expect(performance.now() - began).toBeLessThan(1000);
  });

  test('ends where the hub never says that it is connected, and the signal aborts', async () => {
    const stop = new AbortController();
    const connection = vi.fn();
    const client = await serve({ pipeline: pipelineOf(['waiting']), tokens: 'given', onConnection: connection });
    const over = collect(client.watch(ID, { signal: stop.signal }));
    await vi.waitFor(() => expect(connection).toHaveBeenCalled());
    stop.abort();
    expect(await over).toEqual([]);
  });

  test.each([
    [401, 'unauthenticated'],
    [404, 'not-found'],
    [503, 'no-live-events'],
    [502, 'web-pubsub-permission'],
  ])('is refused with %d %s, which waiting would not change', async (status, type) => {
    const client = await serve({
      pipeline: pipelineOf(['waiting']),
      tokens: { status, type },
      onConnection: () => undefined,
    });
    await expect(collect(client.watch(ID))).rejects.toMatchObject({ code: type, status });
  });

  test('asks again where the refusal may pass', async () => {
    const scene: Scene = {
      pipeline: pipelineOf(['waiting', 'failed']),
      tokens: { status: 503, type: 'web-pubsub-unavailable' },
      onRefused: () => {
        scene.tokens = 'given';
      },
      onConnection: (socket) => socket.send(CONNECTED),
    };
    const client = await serve(scene);
    expect(await collect(client.watch(ID))).toEqual(['pipeline.present failed 2']);
  });
});
