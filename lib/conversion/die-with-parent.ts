import { Worker } from 'node:worker_threads';

/** How often a busy process looks whether its parent lives, in milliseconds. */
const CHECK_MILLISECONDS = 500;

/**
 * Ends this process soon after its parent, however busy it is: a thread of its own watches, because the end of the IPC channel is only
 * noticed between two turns of the event loop, and a library may never come back to it.
 * @param parent the parent's process id by its own word: an orphan would read the id of whoever took it in
 */
export function dieWithParent(parent: number): void {
  const program = `
    setInterval(() => process.ppid === ${parent} || process.kill(process.pid, 'SIGKILL'), ${CHECK_MILLISECONDS});
  `;
  new Worker(program, { eval: true }).unref();
}
