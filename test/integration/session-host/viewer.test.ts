import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chromiumLaunch } from './chromium.ts';
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
  const screenshot = await page.screenshot({ clip: { x: 180, y: 80, width: 280, height: 240 } });
  // Decoded by the browser itself; as text, since these tests are compiled without the types of a page.
  return page.evaluate(`(async () => {
    const image = new Image();
    image.src = 'data:image/png;base64,${screenshot.toString('base64')}';
    await image.decode();
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    context.drawImage(image, 0, 0);
    return new Set(new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer)).size;
  })()`);
}
