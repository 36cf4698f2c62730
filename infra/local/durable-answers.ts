import type { IncomingMessage, ServerResponse } from 'node:http';

const writes = new Set(['PUT', 'POST', 'PATCH', 'MERGE', 'DELETE']);

/**
 * Holds a server's answer to a write back until it is saved, if it says that the write succeeded; nothing of it leaves before, head included.
 * A save that fails cuts the connection: the client must not take the write for done.
 * Call it before the server's own listener sees the request.
 */
export function answerWhenSaved(request: IncomingMessage, response: ServerResponse, save: () => Promise<void>): void {
  if (!writes.has(request.method ?? '')) return;
  const { write, end } = response;
  const held: (() => void)[] = [];

  const release = async () => {
    try {
      if (response.statusCode >= 200 && response.statusCode < 300) await save();
      Object.assign(response, { write, end });
      for (const call of held) call();
    } catch (error) {
      process.stderr.write(`A write could not be saved, so it is not acknowledged: ${String(error)}\n`);
      response.destroy();
    }
  };

  Object.assign(response, {
    write: (...parameters: readonly unknown[]) => {
      held.push(() => Reflect.apply(write, response, parameters));
      return true;
    },
    end: (...parameters: readonly unknown[]) => {
      held.push(() => Reflect.apply(end, response, parameters));
      void release();
      return response;
    },
  });
}
