import { createWriteStream, type WriteStream } from 'node:fs';
import type { LogLine } from '../child-process.ts';

/** What the stack's children say, kept in a file so that it does not drown the journey. */
export interface StackLog extends Disposable {
  readonly path: string;
  readonly onLog: LogLine;
}

/** The file is made, over that of an earlier run, with the first line: not before the stack's directory is ours. */
export function stackLog(path: string): StackLog {
  let file: WriteStream | undefined;
  return {
    path,
    onLog(child, line) {
      // A log that cannot be written must not end the demo.
      file ??= createWriteStream(path).on('error', () => undefined);
      file.write(`${new Date().toISOString()} [${child}] ${line}\n`);
    },
    [Symbol.dispose]: () => {
      file?.end();
    },
  };
}
