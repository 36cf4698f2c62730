import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConversionOutcome, conversionOutcome } from '#lib/conversion';
import type { BulkJob } from './bulk-converter-program.ts';
import type { ModelFiles } from './models/shapes.ts';

const program = fileURLToPath(new URL('./bulk-converter-program.ts', import.meta.url));

/** What came of a model: an outcome, or what may never happen. */
export type BulkResult =
  | ConversionOutcome
  | { readonly status: 'hung'; readonly evidence: string }
  | { readonly status: 'crashed'; readonly evidence: string };

/** A converter that many models are given to one after the other; a new one takes its place when it hangs or crashes. */
export class BulkConverter implements AsyncDisposable {
  readonly #directory: string;
  readonly #deadlineSeconds: number;
  readonly #outputs: string;
  #child: ChildProcess | undefined;
  #printed = '';

  private constructor(directory: string, deadlineSeconds: number) {
    this.#directory = directory;
    this.#outputs = join(directory, 'outputs');
    this.#deadlineSeconds = deadlineSeconds;
  }

  static async start(deadlineSeconds: number): Promise<BulkConverter> {
    return new BulkConverter(await mkdtemp(join(tmpdir(), 'bulk-')), deadlineSeconds);
  }

  /** @param files the model first */
  async convertFiles(files: ModelFiles): Promise<BulkResult> {
    const [file = ''] = Object.keys(files);
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(this.#directory, path)), { recursive: true });
      await writeFile(join(this.#directory, path), bytes);
    }
    return await this.convertPath(join(this.#directory, file));
  }

  /** The asset of a success is there until the next conversion. */
  async convertPath(path: string): Promise<BulkResult> {
    const child = this.#child ?? (await this.#start());
    const job = { directory: dirname(path), file: basename(path), outputDirectory: this.#outputs };
    await mkdir(this.#outputs, { recursive: true });
    const result = await this.#outcomeOf(child, job);
    if (result.status === 'hung' || result.status === 'crashed') await this.#end();
    return result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(program, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    this.#printed = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#printed = (this.#printed + text).slice(-2000);
    });
    await once(child, 'message');
    return child;
  }

  async #outcomeOf(child: ChildProcess, job: BulkJob): Promise<BulkResult> {
    const over = new AbortController();
    const deadline = AbortSignal.any([over.signal, AbortSignal.timeout(this.#deadlineSeconds * 1000)]);
    try {
      child.send(job);
      const first = await Promise.race([
        once(child, 'message', { signal: deadline }).then(([message]) => conversionOutcome.parse(message)),
        once(child, 'exit', { signal: deadline }).then(() => 'crashed' as const),
      ]);
      return first === 'crashed' ? { status: first, evidence: this.#printed } : first;
    } catch (error) {
      if (!deadline.aborted) throw error;
      return { status: 'hung', evidence: `No outcome within ${this.#deadlineSeconds} s. ${this.#printed}` };
    } finally {
      over.abort();
    }
  }

  async #end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
