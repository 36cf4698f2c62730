/** What a started child serves: the URLs it answers at, and how it ends. */
export interface ChildService {
  readonly endpoints: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** What a child tells the supervisor. */
export type ChildReport =
  | { readonly type: 'ready'; readonly endpoints: Readonly<Record<string, string>> }
  | { readonly type: 'failed'; readonly message: string };

/** What the supervisor tells a child. */
export interface ChildOrder {
  readonly type: 'stop';
}

/**
 * Runs a program as a child of the supervisor: it reports ready or failed over IPC, and ends when the supervisor says so or is gone.
 * Signals of the terminal do not end it: a Ctrl-C that reaches the whole process tree must not take the storage away
 * while the supervisor still stops machines.
 */
export async function runAsChild(start: () => Promise<ChildService>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const ordered = new Promise<void>((resolve) => {
    process.once('message', (order: ChildOrder) => order.type === 'stop' && resolve());
    process.once('disconnect', resolve);
  });
  try {
    const service = await start();
    report({ type: 'ready', endpoints: service.endpoints });
    await ordered;
    await service.stop();
    process.exit(0);
  } catch (error) {
    report({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
}

function report(message: ChildReport): void {
  if (process.connected) process.send?.(message);
}
