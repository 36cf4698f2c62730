import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';

/** What a command of this package takes. */
export interface Command<Options extends ParseArgsOptionsConfig> {
  /** The text of `--help`. */
  readonly help: string;
  /** Options beside `--help`, as `parseArgs` takes them. */
  readonly options: Options;
  /** What must be given beside options, each once and in this order, by the names that `help` has for them. */
  readonly operands?: readonly string[];
}

type Values<Options extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ options: Options; strict: true; allowPositionals: false }>
>['values'];

/** The command line cannot be understood. Commands exit with 2 for it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

/**
 * Runs a command and ends the process: exit code 0 only when `main` says that what was asked came true, 1 when it failed, 2 for a
 * command line that cannot be understood. Help goes to stdout, errors to stderr.
 */
export async function runCommand<const Options extends ParseArgsOptionsConfig>(
  command: Command<Options>,
  main: (values: Values<Options>, ...operands: readonly string[]) => Promise<number>,
): Promise<never> {
  // Somebody may stop reading what we print, as a terminal that is closed; that must not be what ends the command.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
      process.stdout.write(`${command.help.trim()}\n`);
      process.exit(0);
    }
    const { values, operands } = parse(command, process.argv.slice(2));
    process.exit(await main(values, ...operands));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    if (error instanceof UsageError) process.stderr.write('Try --help.\n');
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

/**
 * Reads the options of a command line strictly: no unknown ones, no stray words.
 * @throws UsageError
 */
export function readArguments<const Options extends ParseArgsOptionsConfig>(
  command: Command<Options>,
  argv: readonly string[],
): Values<Options> {
  return parse(command, argv).values;
}

function parse<const Options extends ParseArgsOptionsConfig>(
  { options, operands: wanted = [] }: Command<Options>,
  argv: readonly string[],
): { readonly values: Values<Options>; readonly operands: readonly string[] } {
  const { values, positionals } = parseStrictly(options, wanted.length > 0, argv);
  const missing = wanted.slice(positionals.length);
  if (missing.length > 0) throw new UsageError(`${missing.join(' and ')} must be given.`);
  const stray = positionals.slice(wanted.length);
  if (stray.length > 0)
    throw new UsageError(`${JSON.stringify(stray[0])} is one word too many: give ${wanted.join(' ')}.`);
  return { values, operands: positionals };
}

function parseStrictly<const Options extends ParseArgsOptionsConfig>(
  options: Options,
  allowPositionals: boolean,
  argv: readonly string[],
) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals });
  } catch (error) {
    // Node's second sentence explains how to pass positional arguments, which most commands here do not take.
    const [reason = 'Unknown arguments'] = error instanceof Error ? error.message.split('. ') : [];
    throw new UsageError(`${reason}.`, { cause: error });
  }
}

/**
 * The value of `--port`; undefined stays undefined.
 * @throws UsageError
 */
export function readPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError(`--port takes a number from 0 (any free port) to 65535, not "${text}".`);
  return port;
}
