import { z } from 'zod';

/** What a started child serves: the URLs it answers at, and how it ends. */
export interface ChildService {
  readonly endpoints: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export const childReport = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), endpoints: z.record(z.string(), z.string()) }),
  /** `code` is the error's own, as `EADDRINUSE`. */
  z.object({ type: z.literal('failed'), message: z.string(), code: z.string().optional() }),
]);

/** What a child tells the supervisor. */
type ChildReport = z.output<typeof childReport>;

/** What the supervisor tells a child. */
export interface ChildOrder {
  readonly type: 'stop';
}

/** A child that lost its supervisor has so long to end well, in milliseconds; then it ends at once. */
const orphanGraceMilliseconds = 15_000;

/**
 * Runs a program as a child of the supervisor: it reports ready or failed over IPC, and ends when the supervisor says so or is gone.
 * Signals of the terminal do not end it: a Ctrl-C that reaches the whole process tree must not take the storage away
 * while the supervisor still stops machines.
 */
export async function runAsChild(start: () => Promise<ChildService>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // The supervisor reads what a child prints. When it is gone, printing must not be what ends the child.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const ordered = new Promise<void>((resolve) => {
    process.on('message', (order: ChildOrder) => order.type === 'stop' && resolve());
    process.once('disconnect', () => {
      setTimeout(() => process.exit(1), orphanGraceMilliseconds).unref();
      resolve();
    });
  });
  try {
    const service = await start();
    await report({ type: 'ready', endpoints: { ...service.endpoints } });
    await ordered;
    await service.stop();
    process.exit(0);
  } catch (error) {
    await report({ type: 'failed', ...describe(error) });
    process.exit(1);
  }
}

/** The variable that holds the options which are secret: everybody on a computer may read command lines. */
export const SECRET_OPTIONS = 'STACK_SECRET_OPTIONS';

/**
 * The options of a child program, once: the one argument on its command line and, if there are any, its secret options, both as JSON.
 * @throws SyntaxError or ZodError where they are not what the schema wants
 */
export function childOptions<Schema extends z.ZodType>(schema: Schema): z.output<Schema> {
  const secret = process.env[SECRET_OPTIONS];
  // What this program starts inherits its environment.
  delete process.env[SECRET_OPTIONS];
  return schema.parse({ ...JSON.parse(process.argv[2] ?? '{}'), ...JSON.parse(secret ?? '{}') });
}

function describe(error: unknown): { message: string; code?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  return 'code' in error && typeof error.code === 'string'
    ? { message: error.message, code: error.code }
    : { message: error.message };
}

/** Waits until the message has left: a program that exits at once would lose it. */
async function report(message: ChildReport): Promise<void> {
  await new Promise<void>((resolve) => {
    if (!process.connected || !process.send) return resolve();
    process.send(message, () => resolve());
  });
}
