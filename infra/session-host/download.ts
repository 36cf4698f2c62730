import { open, rename, rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { checkGlb, GlbError } from './check-glb.ts';

/** Without a byte for so long, a download is given up. */
const STALL_MILLISECONDS = 20_000;
const PAUSES = [500, 2_000];

export interface DownloadOptions {
  readonly url: string;
  /** The file to write; it appears whole or not at all. */
  readonly path: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * Downloads a GLB to a file, and again after a fault that may pass.
 * @returns its size in bytes
 * @throws Error with a message for people and without the URL, which is secret
 */
export async function downloadGlb(options: DownloadOptions): Promise<number> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await downloadOnce(options);
    } catch (error) {
      const wait = PAUSES[attempt];
      const isLasting = error instanceof LastingError || (error instanceof GlbError && !error.isCutOff);
      if (isLasting || wait === undefined || options.signal.aborted) throw error;
      await pause(wait, undefined, { signal: options.signal });
    }
  }
}

/** A fault that another attempt would meet again. */
class LastingError extends Error {}

async function downloadOnce({ url, path, maxBytes, signal }: DownloadOptions): Promise<number> {
  const draft = `${path}.tmp`;
  const stalled = new AbortController();
  const stall = setTimeout(() => stalled.abort(new Error('no byte arrived for 20 s')), STALL_MILLISECONDS);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, stalled.signal]) });
    if (!response.ok || response.body === null) throw refusal(response.status);
    const bytes = await writeBounded(response.body, draft, { maxBytes, progress: () => stall.refresh() });
    await rename(draft, path);
    return bytes;
  } finally {
    clearTimeout(stall);
    await rm(draft, { force: true });
  }
}

async function writeBounded(
  body: AsyncIterable<Uint8Array>,
  path: string,
  { maxBytes, progress }: { readonly maxBytes: number; readonly progress: () => void },
): Promise<number> {
  await using file = await open(path, 'w', 0o600);
  let bytes = 0;
  for await (const chunk of body) {
    progress();
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new LastingError(`the asset is larger than ${maxBytes} bytes`);
    await file.writeFile(chunk);
  }
  await checkGlb(path, bytes);
  return bytes;
}

function refusal(status: number): Error {
  const passing = status === 408 || status === 429 || status >= 500;
  const message = `the storage answered HTTP ${status}`;
  return passing ? new Error(message) : new LastingError(message);
}
