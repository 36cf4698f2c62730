import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { AssetReport } from './heartbeat.ts';

/** What clients are told, on `/status` and live on `/events`. */
export interface SessionStatus {
  readonly sessionId: string;
  /** `starting` until the control plane has answered the first heartbeat. */
  readonly state: 'starting' | 'ready';
  /** `url` is where the loaded asset is, on this server; another one after each load. */
  readonly asset: (AssetReport & { readonly url?: string }) | null;
  /** Null while the lease does not run. */
  readonly remainingSeconds: number | null;
  readonly uptimeSeconds: number;
}

export interface PageServerOptions {
  readonly bindAddress: string;
  /** Where the built viewer is. */
  readonly viewerDirectory: URL;
  readonly status: () => SessionStatus;
  readonly assetFile: () => { readonly path: string; readonly bytes: number } | undefined;
  /** Hears of an asset that a viewer could not open. */
  readonly notOpened: (said: NotOpened) => void;
}

const notOpened = z.object({
  /** Where the asset was, on this server. */
  url: z.string(),
  /** One line of text: it goes into the log. */
  error: z.string().transform((text) => text.replaceAll(/[\p{Cc}\s]+/gu, ' ').slice(0, 400)),
});
type NotOpened = z.output<typeof notOpened>;

export interface PageServer {
  readonly port: number;
  /** Viewers that are open now. */
  clients(): number;
  /** Tells every open viewer the status as it now is. */
  push(): void;
  close(): Promise<void>;
}

const MAX_CLIENTS = 100;
const MAX_SAID_BYTES = 16_384;

/** The remote rendering contract, 3.2: a session's ports are of this range. */
const PORTS = { first: 49_152, last: 65_534 };

const VIEWER_FILES = [
  'viewer.js',
  'viewer.css',
  'basis-worker.js',
  'decoders/draco_wasm_wrapper.js',
  'decoders/draco_decoder.wasm',
  'decoders/basis_transcoder.js',
  'decoders/basis_transcoder.wasm',
];

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.wasm': 'application/wasm',
};

const SECURITY_HEADERS = {
  // The mesh decoders are wasm, and Draco's worker is a blob; textures inside a GLB become blobs that the loader fetches.
  'content-security-policy': [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    "connect-src 'self' blob:",
    "img-src 'self' blob: data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

/** The texture decoder writes functions at run time, which the page may not. Its worker may, and reaches nothing else: it answers messages. */
const BASIS_WORKER_POLICY = "default-src 'none'; script-src blob: 'unsafe-eval'";

/** Serves the viewer page, the asset and the session's status, on a free port. */
export async function startPageServer(options: PageServerOptions): Promise<PageServer> {
  const viewers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    respond(request, response, { options, viewers }).catch(() => response.destroy());
  });
  return {
    port: await listen(server, options.bindAddress),
    clients: () => viewers.size,
    push() {
      const event = eventOf(options);
      for (const viewer of viewers) viewer.write(event);
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Serving {
  readonly options: PageServerOptions;
  readonly viewers: Set<ServerResponse>;
}

async function respond(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { options } = serving;
  const [path = ''] = (request.url ?? '').split('?');
  if (path === '/not-opened' && request.method === 'POST') return await hearNotOpened(request, response, options);
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET');
    return sendText(response, 405, 'Only GET is answered here.');
  }
  if (path === '/status') return sendJson(response, { ...options.status(), clients: serving.viewers.size });
  if (path === '/events') return openEvents(response, serving);
  if (path === '/asset.glb') return sendAsset(response, options);
  const file = path === '/' ? 'index.html' : VIEWER_FILES.find((each) => path === `/${each}`);
  if (file === undefined) return sendText(response, 404, 'There is nothing here.');
  await sendViewerFile(response, new URL(file, options.viewerDirectory));
}

/** JSON alone is heard: a page of another site may not send that. */
async function hearNotOpened(
  request: IncomingMessage,
  response: ServerResponse,
  options: PageServerOptions,
): Promise<void> {
  const isJson = request.headers['content-type'] === 'application/json';
  const said = isJson ? notOpened.safeParse(await readJson(request)) : undefined;
  if (!said?.success) return sendText(response, 400, 'This takes JSON: the url of an asset, and the error.');
  options.notOpened(said.data);
  response.writeHead(204).end();
}

/** @returns undefined for what is no JSON, or too long */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_SAID_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

function openEvents(response: ServerResponse, { options, viewers }: Serving): void {
  if (viewers.size >= MAX_CLIENTS) {
    sendText(response, 503, 'Too many viewers are open.');
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`retry: 2000\n${eventOf(options)}`);
  viewers.add(response);
  response.once('close', () => viewers.delete(response));
}

function eventOf({ status }: PageServerOptions): string {
  return `data: ${JSON.stringify(status())}\n\n`;
}

async function sendAsset(response: ServerResponse, { assetFile }: PageServerOptions): Promise<void> {
  const asset = assetFile();
  if (asset === undefined) return sendText(response, 404, 'No asset is loaded.');
  response.writeHead(200, { 'content-type': 'model/gltf-binary', 'content-length': asset.bytes });
  await pipeline(createReadStream(asset.path), response);
}

async function sendViewerFile(response: ServerResponse, file: URL): Promise<void> {
  const content = await readFile(file).catch(() => undefined);
  if (content === undefined) return sendText(response, 503, 'The viewer is not built: run "npm run build".');
  if (file.pathname.endsWith('/basis-worker.js')) response.setHeader('content-security-policy', BASIS_WORKER_POLICY);
  response.writeHead(200, { 'content-type': TYPES[extname(file.pathname)] }).end(content);
}

function sendJson(response: ServerResponse, document: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(document));
}

function sendText(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
}

async function listen(server: Server, host: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = randomInt(PORTS.first, PORTS.last + 1);
    try {
      server.listen(port, host);
      await once(server, 'listening');
      return port;
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || attempt === 100) throw error;
    }
  }
}
