export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/** Takes one log entry; `source` is the function's name, or `host` for the host itself. */
export type HostLog = (level: LogLevel, source: string, message: string) => void;

const quiet: ReadonlySet<LogLevel> = new Set(['trace', 'debug', 'none']);

/** One line per entry on stderr: time, level, source, message. What is below information is dropped. */
export const logToStderr: HostLog = (level, source, message) => {
  if (quiet.has(level)) return;
  process.stderr.write(`${new Date().toISOString()} ${level} ${source}: ${message.replaceAll(/\r?\n/g, '\\n')}\n`);
};
