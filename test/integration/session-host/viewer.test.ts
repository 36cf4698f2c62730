import { type Browser, chromium, type Page, type PageScreenshotOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { manyNodesGlb } from '../../support/models/index.ts';
import { chromiumLaunch } from './chromium.ts';
import { convertedAsset, greenBallGlb, withGarbledData } from './converted-assets.ts';
import { emptyGlb, meshoptGlb } from './glb.ts';
import { type Ground, openGround, waitFor } from './ground.ts';
import { type BuiltSessionHost, buildSessionHost } from './running-host.ts';

const launch = chromiumLaunch();

describe.skipIf(launch === undefined)('the viewer page (needs Chromium: install it, or set CHROMIUM_PATH)', () => {
  let built: BuiltSessionHost;
  let browser: Browser;
  let ground: Ground;
  let page: Page;
  let complaints: string[];
  let requests: URL[];

  beforeAll(async () => {
    [built, browser] = await Promise.all([buildSessionHost(), chromium.launch(launch)]);
  });
  afterAll(async () => {
    await browser?.close();
    await built?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    ground = await openGround(built.program);
    page = await browser.newPage({ viewport: { width: 640, height: 400 } });
    complaints = [];
    requests = [];
    page.on('request', (request) => requests.push(new URL(request.url())));
    page.on('console', (message) => {
      // What the software driver says of our screenshots' speed is no complaint about the page.
      const ofDriver = message.text().includes('GL Driver Message');
      if (['error', 'warning'].includes(message.type()) && !ofDriver) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterEach(async () => {
    await page.close();
    await ground[Symbol.asyncDispose]();
  });

  const text = (id: string) => page.locator(`#${id}`).textContent();
  const open = async () => {
    const host = await ground.start();
    await page.goto(await host.address());
    return host;
  };

  it('draws a meshopt-compressed asset, and says its name, its triangles, its size and what is left of the lease', async () => {
    const glb = await meshoptGlb();
    ground.control.answerWith({
      asset: { name: 'demo/robot.glb', url: ground.control.serve('/robot.glb', glb.bytes) },
      remainingSeconds: 3723,
    });
    await open();
    await waitFor(async () => expect(await text('facts')).toContain(`${glb.triangles.toLocaleString('en')} triangles`));
    expect(await text('name')).toBe('robot.glb');
    expect(await text('facts')).toContain('KB');
    expect(await text('remaining')).toMatch(/^01:0[12]:\d\d$/);
    expect(await text('notice')).toBe('');
    await waitFor(async () => expect(await coloursIn(page)).toBeGreaterThan(200));
    expect(complaints).toEqual([]);
  });

  it.each([
    ['as small as can be', null, ['EXT_meshopt_compression', 'EXT_texture_webp'], []],
    [
      'with Draco',
      { geometryCompression: 'draco' },
      ['KHR_draco_mesh_compression', 'EXT_texture_webp'],
      ['draco_decoder.wasm', 'draco_wasm_wrapper.js'],
    ],
    [
      'with KTX2',
      { textureCompression: 'ktx2' },
      ['EXT_meshopt_compression', 'KHR_texture_basisu'],
      ['basis_transcoder.js', 'basis_transcoder.wasm'],
    ],
    [
      'with Draco and KTX2',
      { geometryCompression: 'draco', textureCompression: 'ktx2' },
      ['KHR_draco_mesh_compression', 'KHR_texture_basisu'],
      ['basis_transcoder.js', 'basis_transcoder.wasm', 'draco_decoder.wasm', 'draco_wasm_wrapper.js'],
    ],
  ])(
    'draws a textured asset that was converted %s, with no more decoders than it needs, all from its host',
    async (_, settings, extensions, decoders) => {
      const { bytes, required } = await convertedAsset(await greenBallGlb(), settings);
      expect(required).toEqual(expect.arrayContaining(extensions));
      const host = await open();
      ground.order('ball.glb', ground.control.serve('/ball.glb', bytes));
      await waitFor(async () => expect(await text('facts')).toMatch(/^[1-9][\d,]* triangles/));
      // Without its colour texture it is as grey as its surroundings.
      await waitFor(async () => {
        const { red, green, blue } = await middleColour(page);
        expect(green).toBeGreaterThan(40 + Math.max(red, blue));
      });
      const origin = await host.address();
      expect(requests.filter((url) => url.protocol !== 'data:' && url.origin !== origin)).toEqual([]);
      const fetched = requests.flatMap(({ protocol, pathname }) =>
        protocol === 'http:' && pathname.startsWith('/decoders/') ? pathname.slice('/decoders/'.length) : [],
      );
      expect(fetched.sort()).toEqual(decoders);
      expect(complaints).toEqual([]);
    },
    60_000,
  );

  it('draws an asset whose meshes the converter made instances of', async () => {
    const { bytes, required } = await convertedAsset(manyNodesGlb(100), null);
    expect(required).toContain('EXT_mesh_gpu_instancing');
    await open();
    ground.order('many.glb', ground.control.serve('/many.glb', bytes));
    await waitFor(async () => expect(await text('facts')).toMatch(/^[1-9][\d,]* triangles/));
    await waitFor(async () => expect(await coloursIn(page)).toBeGreaterThan(200));
    expect(complaints).toEqual([]);
  });

  it('says what is wrong with geometry that cannot be decoded, and shows the next asset', async () => {
    const { bytes } = await convertedAsset(await greenBallGlb(), { geometryCompression: 'draco' });
    await open();
    const garbled = { name: 'garbled.glb', url: ground.control.serve('/garbled.glb', withGarbledData(bytes)) };
    ground.order(garbled.name, garbled.url);
    await waitFor(async () => expect(await text('notice')).toMatch(/could not be opened: .*Draco/i));
    const told = expect.stringMatching(/^a viewer could not open it: .*Draco/i);
    await waitFor(() => expect(ground.control.latest()?.asset).toMatchObject({ state: 'loaded', error: told }));
    // It still says so once the session host has told something else.
    ground.control.answerWith({ asset: garbled, remainingSeconds: 7200 });
    await waitFor(async () => expect(await text('remaining')).toMatch(/^0[12]:\d\d:\d\d$/));
    expect(await text('notice')).toMatch(/could not be opened: .*Draco/i);
    ground.order('ball.glb', ground.control.serve('/ball.glb', bytes));
    await waitFor(async () => expect(await text('facts')).toMatch(/^[1-9][\d,]* triangles/));
    expect(await text('notice')).toBe('');
  });

  it.each([
    ['Draco', { geometryCompression: 'draco' }, 'draco_decoder.wasm'],
    ['KTX2', { textureCompression: 'ktx2' }, 'basis_transcoder.wasm'],
  ])('gives up an asset whose %s decoder does not start', async (_, settings, decoder) => {
    const { bytes } = await convertedAsset(await greenBallGlb(), settings);
    await page.route(`**/${decoder}`, (route) =>
      route.fulfill({ body: 'no decoder', contentType: 'application/wasm' }),
    );
    await page.clock.install();
    await open();
    ground.order('ball.glb', ground.control.serve('/ball.glb', bytes));
    await waitFor(async () => expect(await text('notice')).toBe('Opening…'));
    await waitFor(async () => {
      await page.clock.runFor(20_000);
      expect(await text('notice')).toMatch(/could not be opened: .*decoder may not have started/);
    });
    const told = expect.stringContaining('decoder may not have started');
    await waitFor(() => expect(ground.control.latest()?.asset).toMatchObject({ error: told }));
  });

  it('counts as connected while it is open', async () => {
    await open();
    await waitFor(() => expect(ground.control.latest()?.connected).toBe(true));
    expect(await text('notice')).toBe('No asset yet.');
    await page.goto('about:blank');
    await waitFor(() => expect(ground.control.latest()?.connected).toBe(false));
    expect(complaints).toEqual([]);
  });

  it('shows another asset in place of the first without being loaded anew', async () => {
    const glb = await meshoptGlb();
    await open();
    ground.order('first.glb', ground.control.serve('/first.glb', emptyGlb()));
    await waitFor(async () => expect(await text('facts')).toContain('0 triangles'));
    ground.order('second.glb', ground.control.serve('/second.glb', glb.bytes));
    await waitFor(async () => expect(await text('facts')).toContain(`${glb.triangles.toLocaleString('en')} triangles`));
    expect(await text('name')).toBe('second.glb');
    expect(complaints).toEqual([]);
  });

  it('says why there is nothing to see', async () => {
    await open();
    ground.order('gone.glb', `${new URL(ground.control.heartbeatUrl).origin}/gone.glb`);
    await waitFor(async () =>
      expect(await text('notice')).toContain('could not be loaded: the storage answered HTTP 404'),
    );
  });

  it('warns when the lease is nearly over, and says when the session has ended', async () => {
    const host = await open();
    ground.control.answerWith({ remainingSeconds: 30 });
    await waitFor(async () => expect(await page.locator('#lease').getAttribute('data-urgency')).toBe('soon'));
    host.process.kill('SIGTERM');
    await waitFor(async () => expect(await text('notice')).toContain('It may have ended.'));
  });
});

/** How many colours are in the middle of the page: a blank one, or its mere backdrop, has few. */
async function coloursIn(page: Page): Promise<number> {
  return new Set(await pixelsIn(page, { x: 180, y: 80, width: 280, height: 240 })).size;
}

/** The mean colour in the very middle of the page, each channel up to 255. */
async function middleColour(page: Page): Promise<{ red: number; green: number; blue: number }> {
  const pixels = await pixelsIn(page, { x: 300, y: 180, width: 40, height: 40 });
  const mean = (shift: number) => pixels.reduce((sum, pixel) => sum + ((pixel >>> shift) & 255), 0) / pixels.length;
  return { red: mean(0), green: mean(8), blue: mean(16) };
}

/** The pixels in a part of the page, each a number whose bytes are red, green, blue and alpha from the lowest up. */
async function pixelsIn(page: Page, clip: NonNullable<PageScreenshotOptions['clip']>): Promise<number[]> {
  const screenshot = await page.screenshot({ clip });
  // Decoded by the browser itself; as text, since these tests are compiled without the types of a page.
  return page.evaluate(`(async () => {
    const image = new Image();
    image.src = 'data:image/png;base64,${screenshot.toString('base64')}';
    await image.decode();
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    return Array.from(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer));
  })()`);
}
