import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Programs that stand in for a converter that goes wrong; each runs when it is given its job. */
export const faults = {
  hangs: 'for (;;) {}',
  eatsMemory: 'const kept = []; setInterval(() => kept.push(Buffer.alloc(16 * 2 ** 20, 1)), 5);',
  fillsWasmMemory: `
    const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536 });
    setInterval(() => {
      const pages = memory.grow(256);
      new Uint8Array(memory.buffer, pages * 65536).fill(1);
    }, 5);
  `,
  fillsItsHeap: 'const kept = []; for (;;) kept.push({ kept: [kept.length, String(kept.length)] });',
  throws: "throw new TypeError('the library broke');",
  exits: 'process.exit(3);',
  exitsInSilence: 'process.exit(0);',
  aborts: 'process.abort();',
  talksNonsense: "process.send({ type: 'finished' });",
  talksGarbageOutcome: "process.send({ type: 'outcome', outcome: { status: 'succeeded' } });",
  chats: `
    process.stdout.write('Encoding slice 1 of 2'.repeat(10_000));
    process.stderr.write('warning '.repeat(100_000));
    process.send({ type: 'progress', progress: { phase: 'reading' } });
    const outcome = { status: 'failed', error: { code: 'input_refused', message: 'The model is odd.' }, warnings: [] };
    process.send({ type: 'outcome', outcome }, () => process.exit(0));
  `,
} as const;

export interface FaultProgram extends AsyncDisposable {
  readonly url: URL;
  readonly path: string;
}

/** A program in a temporary file. */
export async function faultProgram(work: string, before = ''): Promise<FaultProgram> {
  const directory = await mkdtemp(join(tmpdir(), 'converter-'));
  const path = join(directory, 'converter.mjs');
  await writeFile(path, `${before}\nprocess.once('message', () => {\n${work}\n});\n`);
  return {
    url: pathToFileURL(path),
    path,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
