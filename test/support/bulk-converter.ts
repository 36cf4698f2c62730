import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ConversionOutcome, conversionOutcome } from '#lib/conversion';
import type { FuzzedJob } from './fuzz-program.ts';
import type { ModelFiles } from './models/shapes.ts';

const program = fileURLToPath(new URL('./fuzz-program.ts', import.meta.url));

/** What came of a model: an outcome, or what may never happen. */
export type FuzzResult = ConversionOutcome | { readonly status: 'hung' | 'crashed'; readonly evidence: string };

/** A converter that many models are given to one after the other; a new one takes its place when it hangs or crashes. */
export class FuzzedConverter implements AsyncDisposable {
  readonly #directory: string;
  readonly #deadlineSeconds: number;
  #child: ChildProcess | undefined;
  #printed = '';

  private constructor(directory: string, deadlineSeconds: number) {
    this.#directory = directory;
    this.#deadlineSeconds = deadlineSeconds;
  }

  static async start(deadlineSeconds: number): Promise<FuzzedConverter> {
    return new FuzzedConverter(await mkdtemp(join(tmpdir(), 'fuzz-input-')), deadlineSeconds);
  }

  /** @param files the model first */
  async convert(files: ModelFiles): Promise<FuzzResult> {
    const [file = ''] = Object.keys(files);
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(this.#directory, path)), { recursive: true });
      await writeFile(join(this.#directory, path), bytes);
    }
    const child = this.#child ?? (await this.#start());
    const result = await this.#outcomeOf(child, file);
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

  async #outcomeOf(child: ChildProcess, file: string): Promise<FuzzResult> {
    const over = new AbortController();
    const deadline = AbortSignal.any([over.signal, AbortSignal.timeout(this.#deadlineSeconds * 1000)]);
    try {
      child.send({ directory: this.#directory, file, outputDirectory: this.#directory } satisfies FuzzedJob);
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
