import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyGlb, glbOf } from './glb.ts';
import { openGround, statusOf, waitFor } from './ground.ts';
import { type BuiltSessionHost, buildSessionHost } from './running-host.ts';

let built: BuiltSessionHost;
beforeAll(async () => {
  built = await buildSessionHost();
});
afterAll(() => built[Symbol.asyncDispose]());

describe.concurrent('a session host that starts', () => {
  it('reports ready with its host name and a port of the contract, and serves there', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    const host = await start();
    await host.address();
    expect(control.heartbeats[0]).toEqual({
      state: 'ready',
      hostname: '127.0.0.1',
      ports: { inspector: expect.any(Number) },
      connected: false,
      asset: null,
    });
    const port = control.heartbeats[0]?.ports.inspector;
    expect(port).toBeGreaterThanOrEqual(49_152);
    expect(port).toBeLessThanOrEqual(65_534);
    await waitFor(async () =>
      expect(await statusOf(host)).toEqual({
        sessionId: 'session-one',
        state: 'ready',
        asset: null,
        remainingSeconds: null,
        uptimeSeconds: expect.any(Number),
        clients: 0,
      }),
    );
  });

  it('reports the host name that it is told', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    await start({ SESSION_HOST_HOSTNAME: 'machine.example' });
    await waitFor(() => expect(control.latest()?.hostname).toBe('machine.example'));
  });

  it('records itself in its folder, and a second one for the same machine ends at once', async () => {
    await using ground = await openGround(built.program);
    const { start } = ground;
    const host = await start();
    await host.address();
    const recorded = JSON.parse(await readFile(join(host.directory, 'process.json'), 'utf8'));
    expect(recorded).toEqual({ pid: host.process.pid, startedAt: expect.any(String) });
    const second = await start({}, host.directory);
    expect(await second.ended()).toBe(1);
    expect(second.log()).toContain('has had its process already');
    expect((await statusOf(host)).state).toBe('ready');
  });

  it('ends at once where its folder is gone', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    const host = await start({}, '/no/such/folder');
    expect(await host.ended()).toBe(1);
    expect(control.heartbeats).toEqual([]);
  });

  it('names every setting that is wrong, and no value', async () => {
    await using ground = await openGround(built.program);
    const { start } = ground;
    const host = await start({ HEARTBEAT_URL: 'ftp://secret.example', SILENCE_SECONDS: 'long', SESSION_ID: '' });
    expect(await host.ended()).toBe(1);
    for (const name of ['HEARTBEAT_URL', 'SILENCE_SECONDS', 'SESSION_ID']) expect(host.log()).toContain(name);
    expect(host.log()).not.toContain('secret.example');
  });
});

describe.concurrent('an asset', () => {
  it('is loaded as ordered, told at once, and served', async () => {
    await using ground = await openGround(built.program);
    const { control, start, untilAsset } = ground;
    const host = await start();
    const glb = emptyGlb(300_000);
    // So long between heartbeats that only one sent out of turn can tell of the load in time.
    control.answerWith({ asset: { name: 'robot.glb', url: control.serve('/robot.glb', glb) }, nextSeconds: 10 });
    await untilAsset('loaded');
    expect(control.heartbeats.map((heartbeat) => heartbeat.asset?.state)).toEqual([undefined, 'loading', 'loaded']);
    expect(control.latest()?.asset).toEqual({ name: 'robot.glb', state: 'loaded', bytes: 300_000 });
    const { asset } = await statusOf(host);
    const served = await fetch(`${await host.address()}${asset?.url}`);
    expect(served.headers.get('content-type')).toBe('model/gltf-binary');
    expect(Buffer.from(await served.arrayBuffer()).equals(glb)).toBe(true);
  });

  it('is not loaded again when only the signature of its URL changes', async () => {
    await using ground = await openGround(built.program);
    const { control, start, order, untilAsset } = ground;
    await start();
    const url = control.serve('/robot.glb', emptyGlb());
    order('robot.glb', `${url}?sig=first`);
    await untilAsset('loaded');
    order('robot.glb', `${url}?sig=second`);
    const seen = control.heartbeats.length;
    await waitFor(() => expect(control.heartbeats.length).toBeGreaterThan(seen + 2));
    expect(control.requestsOf('/robot.glb')).toBe(1);
  });

  it('takes the place of the one before it, also of one that is still on its way', async () => {
    await using ground = await openGround(built.program);
    const { control, start, order, untilAsset } = ground;
    const host = await start();
    order(
      'slow.glb',
      control.serve('/slow.glb', (response) => response.writeHead(200).write('glTF')),
    );
    await untilAsset('loading');
    order('second.glb', control.serve('/second.glb', emptyGlb(150)));
    await waitFor(() => expect(control.latest()?.asset).toMatchObject({ name: 'second.glb', state: 'loaded' }));
    order('third.glb', control.serve('/third.glb', emptyGlb(200)));
    await waitFor(() => expect(control.latest()?.asset).toMatchObject({ name: 'third.glb', state: 'loaded' }));
    expect((await (await fetch(`${await host.address()}/asset.glb`)).arrayBuffer()).byteLength).toBe(200);
  });

  it.each([
    ['that is not there', 'HTTP 404', (response: ServerResponse) => response.writeHead(404).end()],
    ['that is no GLB', 'no GLB', (response: ServerResponse) => response.end('<html>sorry</html>')],
    [
      'that is a GLB of another version',
      'version 1',
      (response: ServerResponse) => response.end(emptyGlb().fill(1, 4, 5)),
    ],
    [
      'whose JSON does not parse',
      'JSON is none of glTF 2.0: SyntaxError',
      (response: ServerResponse) => response.end(glbOf('{"asset":{"version":"2.0"},')),
    ],
    [
      'whose JSON is of another version',
      'JSON is none of glTF 2.0: ✖ is no version 2',
      (response: ServerResponse) => response.end(glbOf('{"asset":{"version":"1.0"}}')),
    ],
    [
      'without its geometry',
      '0 of the 36 bytes',
      (response: ServerResponse) => response.end(glbOf('{"asset":{"version":"2.0"},"buffers":[{"byteLength":36}]}')),
    ],
    [
      'with a chunk that does not fit into it',
      'ends behind it',
      (response: ServerResponse) => response.end(emptyGlb().fill(0xff, 12, 15)),
    ],
    ['that is too large', 'larger than 1000 bytes', (response: ServerResponse) => response.end(emptyGlb(2000))],
  ])('%s is reported as failed, with the reason and without its URL', async (_, reason, answer) => {
    await using ground = await openGround(built.program);
    const { control, start, order, untilAsset } = ground;
    const host = await start({ ASSET_MAX_BYTES: '1000' });
    order('bad.glb', `${control.serve('/bad.glb', answer)}?sig=signature`);
    await untilAsset('failed');
    expect(control.latest()?.asset?.error).toContain(reason);
    expect(JSON.stringify(control.latest()) + host.log()).not.toContain('signature');
    expect((await fetch(`${await host.address()}/asset.glb`)).status).toBe(404);
    expect(control.requestsOf('/bad.glb')).toBe(1);
  });

  it('that a viewer could not open is told of once, in the heartbeat and in the log, and stays loaded', async () => {
    await using ground = await openGround(built.program);
    const { control, start, order, untilAsset } = ground;
    const host = await start();
    order('robot.glb', control.serve('/robot.glb', emptyGlb()));
    await untilAsset('loaded');
    const address = await host.address();
    const tell = async (said: object, type = 'application/json') => {
      const init = { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(said) };
      return (await fetch(`${address}/not-opened`, init)).status;
    };
    const url = '/asset.glb?load=1';
    expect(await tell({ url, error: 'of another site' }, 'text/plain')).toBe(400);
    expect(await tell({ url, error: 'x'.repeat(20_000) })).toBe(400);
    expect(await tell({ url: '/asset.glb?load=0', error: 'another asset' })).toBe(204);
    expect(await tell({ url, error: 'Draco\nfailed' })).toBe(204);
    expect(await tell({ url, error: 'again' })).toBe(204);
    const told = 'a viewer could not open it: Draco failed';
    await waitFor(() => expect(control.latest()?.asset).toMatchObject({ state: 'loaded', error: told }));
    expect(host.log()).toContain(`asset robot.glb: loaded, 128 bytes, ${told}`);
    expect(host.log()).not.toMatch(/another|again/);
  });

  it('is asked for again when the storage fails for a moment, or cuts it off', async () => {
    await using ground = await openGround(built.program);
    const { control, start, order, untilAsset } = ground;
    await start();
    let attempts = 0;
    const url = control.serve('/robot.glb', (response) => {
      attempts += 1;
      if (attempts === 1) response.writeHead(503).end();
      else if (attempts === 2) response.end(emptyGlb(200).subarray(0, 100));
      else response.end(emptyGlb(200));
    });
    order('robot.glb', url);
    await untilAsset('loaded');
    expect(attempts).toBe(3);
  });
});

describe.concurrent('a session host ends', () => {
  it('when it is told to stop', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    const host = await start();
    await host.address();
    control.answerWith({ stop: true });
    expect(await host.ended()).toBe(0);
    expect(host.log()).toContain('ends: told_to_stop');
  });

  it.each([401, 404, 410])('when the control plane answers %i', async (status) => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    const host = await start();
    await host.address();
    control.answerWith(status);
    expect(await host.ended()).toBe(0);
    expect(host.log()).toContain('ends: not_wanted');
  });

  it('when its lease is over and nobody has stopped it, two seconds later', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    control.answerWith({ remainingSeconds: 0.5, nextSeconds: 20 });
    const host = await start();
    await host.address();
    const readyAt = performance.now();
    expect((await statusOf(host)).remainingSeconds).toBeLessThanOrEqual(0.5);
    control.answerWith({ remainingSeconds: 0, nextSeconds: 20 });
    expect(await host.ended()).toBe(0);
    expect(host.log()).toContain('ends: lease_over');
    expect(performance.now() - readyAt).toBeGreaterThan(2_000);
  });

  it.each([
    ['answers with errors', 503],
    ['does not answer', 'nothing'],
    ['is not there behind its address, as while it starts', 'a page of another server'],
    ['answers something else', {}],
  ] as const)('when the control plane %s for the silence it is told', async (_, answer) => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    control.answerWith(typeof answer === 'object' ? { nextSeconds: -1 } : answer);
    const host = await start({ SILENCE_SECONDS: '1' });
    expect(await host.ended()).toBe(0);
    expect(host.log()).toContain('ends: silence');
  });

  it('when the control plane is gone, but not before the silence is over', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    const host = await start({ SILENCE_SECONDS: '2' });
    await host.address();
    await control[Symbol.asyncDispose]();
    const goneAt = performance.now();
    expect(await host.ended()).toBe(0);
    expect(host.log()).toContain('ends: silence');
    expect(performance.now() - goneAt).toBeGreaterThan(1_000);
  });

  it('and is found dead after SIGKILL, its port free', async () => {
    await using ground = await openGround(built.program);
    const { start } = ground;
    const host = await start();
    const address = await host.address();
    host.process.kill('SIGKILL');
    expect(await host.ended()).toBe('SIGKILL');
    await expect(fetch(`${address}/status`)).rejects.toThrow();
  });
});

describe.concurrent('a session host lives on', () => {
  it('while its lease is renewed', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    control.answerWith({ remainingSeconds: 0.4 });
    const host = await start();
    await host.address();
    control.answerWith({ remainingSeconds: 600 });
    await waitFor(async () => expect((await statusOf(host)).remainingSeconds).toBeGreaterThan(590));
  });

  it('through a control plane that fails for a moment', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    const host = await start();
    await host.address();
    control.answerWith(500);
    await waitFor(() => expect(host.log()).toContain('no answer: HTTP 500'));
    control.answerWith({});
    await waitFor(() => expect(host.log()).toContain('answers again'));
  });
});

describe.concurrent('the page server', () => {
  it('counts an open event stream as connected, tells it what changes, and says so until it closes', async () => {
    await using ground = await openGround(built.program);
    const { control, start } = ground;
    const host = await start();
    const leaving = new AbortController();
    const stream = await fetch(`${await host.address()}/events`, { signal: leaving.signal });
    const events = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await events?.read())?.value).toContain('"asset":null');
    await waitFor(() => expect(control.latest()?.connected).toBe(true));
    control.answerWith({ asset: { name: 'robot.glb', url: control.serve('/robot.glb', emptyGlb()) } });
    await waitFor(async () => expect((await events?.read())?.value).toContain('"url":"/asset.glb?load=1"'));
    leaving.abort();
    await waitFor(() => expect(control.latest()?.connected).toBe(false));
  });

  it('serves the viewer with a policy that lets nothing in from elsewhere', async () => {
    await using ground = await openGround(built.program);
    const { start } = ground;
    const address = await (await start()).address();
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/viewer.js', 'text/javascript'],
      ['/viewer.css', 'text/css'],
      ['/decoders/draco_wasm_wrapper.js', 'text/javascript'],
      ['/decoders/draco_decoder.wasm', 'application/wasm'],
      ['/decoders/basis_transcoder.js', 'text/javascript'],
      ['/decoders/basis_transcoder.wasm', 'application/wasm'],
    ]) {
      const response = await fetch(`${address}${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain(type);
      expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(response.headers.get('content-security-policy')).not.toContain(" 'unsafe-eval'");
      expect(await response.text()).not.toMatch(/(src|href)="https?:/);
    }
  });

  it('lets the worker of the texture decoder alone write functions at run time, and reach nothing', async () => {
    await using ground = await openGround(built.program);
    const { start } = ground;
    const response = await fetch(`${await (await start()).address()}/basis-worker.js`);
    expect(response.headers.get('content-type')).toContain('text/javascript');
    expect(response.headers.get('content-security-policy')).toBe("default-src 'none'; script-src blob: 'unsafe-eval'");
  });

  it('answers nothing else', async () => {
    await using ground = await openGround(built.program);
    const { start } = ground;
    const address = await (await start()).address();
    expect((await fetch(`${address}/../../etc/passwd`)).status).toBe(404);
    expect((await fetch(`${address}/process.json`)).status).toBe(404);
    expect((await fetch(`${address}/decoders/`)).status).toBe(404);
    expect((await fetch(`${address}/status`, { method: 'POST' })).status).toBe(405);
  });
});

// Not beside other tests: it measures how long something takes.
describe('a session host that its system tells to end', () => {
  it('ends within a second, whatever is open', async () => {
    await using ground = await openGround(built.program);
    const { control, start, untilAsset } = ground;
    const host = await start();
    control.answerWith({
      asset: { name: 'slow.glb', url: control.serve('/slow.glb', (response) => response.writeHead(200).write('glTF')) },
    });
    await untilAsset('loading');
    control.answerWith('nothing');
    const { port } = new URL(await host.address());
    const idle = connect(Number(port), '127.0.0.1').on('error', () => undefined);
    await once(idle, 'connect');
    await fetch(`${await host.address()}/events`);
    const askedAt = performance.now();
    host.process.kill('SIGTERM');
    expect(await host.ended()).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(1_000);
    expect(host.log()).toContain('ends: signal');
    idle.destroy();
  });
});

describe('the program', () => {
  it('runs from its source too', async () => {
    const source = new URL('../../../infra/session-host/main.ts', import.meta.url).pathname;
    const run = promisify(execFile)(process.execPath, [source], { env: {} });
    await expect(run).rejects.toMatchObject({ stdout: expect.stringContaining('HEARTBEAT_SECRET') });
  });
});
