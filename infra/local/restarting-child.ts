import { setTimeout as wait } from 'node:timers/promises';
import { type ChildProgram, startChild } from './child-process.ts';

export interface RestartingChild {
  stop(graceMilliseconds: number): Promise<void>;
}

const restartAfterMilliseconds = 1000;

/**
 * Starts a child that others can do without for a moment, and starts it again whenever it ends by itself.
 * @throws StackError where the first start fails
 */
export async function startRestarting(program: ChildProgram): Promise<RestartingChild> {
  let current = await startChild(program);
  const stopping = new AbortController();

  const keepUp = async () => {
    while (!stopping.signal.aborted) {
      const how = await current.ended;
      if (stopping.signal.aborted) return;
      program.onLog?.(program.name, `ended with ${how}; it is started again`);
      await wait(restartAfterMilliseconds, undefined, { signal: stopping.signal }).catch(() => undefined);
      try {
        current = await startChild({ ...program, signal: stopping.signal });
      } catch (error) {
        if (!stopping.signal.aborted) program.onLog?.(program.name, String(error));
      }
    }
  };
  const kept = keepUp();

  return {
    async stop(graceMilliseconds) {
      stopping.abort();
      await current.stop(graceMilliseconds);
      await kept;
    },
  };
}
