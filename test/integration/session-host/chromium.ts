import { existsSync } from 'node:fs';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** How to launch the computer's own browser with playwright-core; undefined where there is none, which is an error in CI. */
export function chromiumLaunch(): { readonly executablePath: string; readonly args: string[] } | undefined {
  const executablePath = [process.env['CHROMIUM_PATH'] ?? '', ...PLACES].find(
    (place) => place !== '' && existsSync(place),
  );
  if (executablePath !== undefined) return { executablePath, args: FLAGS };
  if (process.env['CI'] === 'true') throw new Error('CI needs Chromium: install it, or set CHROMIUM_PATH.');
  return undefined;
}
