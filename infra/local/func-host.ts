import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { type ChildService, childOptions, runAsChild } from './child.ts';

/** As the embedded host takes them; Core Tools keep durable state in the storage account and need no database. */
const options = z.object({
  scriptRoot: z.string(),
  port: z.number().int(),
  environment: z.record(z.string(), z.string()),
});

const endGraceMilliseconds = 3000;

/** Azure Functions Core Tools as a child of the supervisor. */
await runAsChild(() => startFunc(childOptions(options)));

async function startFunc({ scriptRoot, port, environment }: z.output<typeof options>): Promise<ChildService> {
  const app = `http://127.0.0.1:${port}`;
  const func = spawn('func', ['start', '--port', String(port)], {
    cwd: scriptRoot,
    // Core Tools prefer what the environment holds to local.settings.json.
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await once(func, 'spawn');
  const ended = once(func, 'exit').then(([code, signal]) => `func ended with ${signal ?? `exit code ${code}`}`);
  await Promise.race([answering(app), ended.then((how) => Promise.reject(new Error(how)))]);

  let stopping = false;
  void ended.then((how) => {
    if (stopping) return;
    process.stderr.write(`${how}\n`);
    process.exit(1);
  });
  return {
    endpoints: { app },
    async stop() {
      stopping = true;
      await end(func, ended);
    },
  };
}

/** Any answer will do: it is the host's, whatever the app thinks of the path. */
async function answering(app: string): Promise<void> {
  for (;;) {
    try {
      const response = await fetch(app, { signal: AbortSignal.timeout(2000) });
      await response.body?.cancel();
      return;
    } catch {
      await wait(200);
    }
  }
}

async function end(func: ChildProcess, ended: Promise<string>): Promise<void> {
  func.kill('SIGINT');
  await Promise.race([ended, wait(endGraceMilliseconds)]);
  func.kill('SIGKILL');
  await ended;
}
