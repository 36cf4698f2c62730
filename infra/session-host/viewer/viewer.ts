import { Stage } from './stage.ts';

interface SessionStatus {
  readonly asset: {
    readonly name: string;
    readonly state: 'loading' | 'loaded' | 'failed';
    readonly bytes?: number;
    readonly error?: string;
    readonly url?: string;
  } | null;
  readonly remainingSeconds: number | null;
}

const page = {
  canvas: element('view', HTMLCanvasElement),
  name: element('name', HTMLElement),
  facts: element('facts', HTMLElement),
  lease: element('lease', HTMLElement),
  remaining: element('remaining', HTMLElement),
  notice: element('notice', HTMLElement),
};

/** When the lease ends on `performance.now()`; undefined while it does not run. */
let leaseEndsAt: number | undefined;
let shown: string | undefined;
/** What there is to say of the asset that is shown, also after something else was said. */
let saidOfShown = '';

try {
  follow(new Stage(page.canvas));
} catch {
  page.notice.textContent = 'This browser cannot draw in 3D: WebGL 2 is missing or switched off.';
}

function follow(stage: Stage): void {
  // An open stream is also how the session host knows that somebody is watching.
  const events = new EventSource('/events');
  events.addEventListener('message', (event: MessageEvent<string>) => update(stage, JSON.parse(event.data)));
  events.addEventListener('error', () => {
    page.notice.textContent = leaseIsOver() ? 'The lease is over.' : 'The session does not answer. It may have ended.';
  });
  setInterval(showLease, 250);
}

function update(stage: Stage, { asset, remainingSeconds }: SessionStatus): void {
  leaseEndsAt = remainingSeconds === null ? undefined : performance.now() + remainingSeconds * 1000;
  showLease();
  const name = asset?.name.split('/').at(-1) ?? 'Rendering session';
  page.name.textContent = name;
  page.name.title = asset?.name ?? '';
  document.title = name;
  if (asset?.state === 'loaded' && asset.url !== undefined) {
    if (asset.url === shown) page.notice.textContent = saidOfShown;
    else void show(stage, asset.url, asset.bytes ?? 0);
    return;
  }
  shown = undefined;
  stage.clear();
  page.facts.textContent = '';
  page.notice.textContent = noticeOf(asset);
}

function noticeOf(asset: SessionStatus['asset']): string {
  if (asset === null) return 'No asset yet.';
  return asset.state === 'failed'
    ? `The asset could not be loaded: ${asset.error ?? 'no reason was given'}`
    : 'Loading…';
}

async function show(stage: Stage, url: string, bytes: number): Promise<void> {
  shown = url;
  say('Opening…');
  try {
    const triangles = await stage.show(url);
    if (shown !== url) return;
    page.facts.textContent = `${triangles.toLocaleString('en')} triangles · ${sizeOf(bytes)}`;
    say('');
    document.documentElement.dataset['shown'] = url;
  } catch (thrown) {
    if (shown !== url) return;
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    say(`The asset could not be opened: ${error}`);
    tellNotOpened(url, error);
  }
}

/** The session host keeps it in its log and the session's: nobody else sees this page. */
function tellNotOpened(url: string, error: string): void {
  const body = JSON.stringify({ url, error: error.slice(0, 1000) });
  const headers = { 'content-type': 'application/json' };
  // One that does not answer is told of already, by the stream of events that ends.
  fetch('/not-opened', { method: 'POST', headers, body }).catch(() => undefined);
}

function say(ofShown: string): void {
  saidOfShown = ofShown;
  page.notice.textContent = ofShown;
}

function showLease(): void {
  if (leaseEndsAt === undefined) {
    page.remaining.textContent = 'not running';
    page.lease.dataset['urgency'] = 'none';
    return;
  }
  const seconds = Math.max(0, Math.ceil((leaseEndsAt - performance.now()) / 1000));
  page.remaining.textContent = seconds === 0 ? 'over' : durationOf(seconds);
  page.lease.dataset['urgency'] = seconds === 0 ? 'over' : seconds <= 60 ? 'soon' : 'none';
}

function leaseIsOver(): boolean {
  return leaseEndsAt !== undefined && performance.now() >= leaseEndsAt - 1000;
}

function durationOf(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours, minutes, rest] = parts.map((part) => String(part).padStart(2, '0'));
  return hours === '00' ? `${minutes}:${rest}` : `${hours}:${minutes}:${rest}`;
}

function sizeOf(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  return `${(bytes / 1000 ** power).toLocaleString('en', { maximumFractionDigits: power === 0 ? 0 : 1 })} ${units[power]}`;
}

function element<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`The page has no ${id}.`);
}
