import { resolve } from 'node:path';
import { settings as appSettings, ConfigError } from '#lib/config';
import type { ConversionLimits } from '#lib/conversion';
import { limitsOf } from '#lib/rendering';
import { CommandError } from './convert/command-error.ts';
import { type Converted, convertModel } from './convert/convert-model.ts';
import { describeConverted, describeProgress } from './convert/describe.ts';
import { modelAt } from './convert/model-on-disk.ts';
import { runCommand } from './local/arguments.ts';
import { listenForInterrupt } from './local/demo/interrupt.ts';
import { Progress } from './local/demo/progress.ts';

const help = `
npm run convert: a model of this machine to one small, valid GLB, by the converter of the service and without its stack. Writes
<name>.glb, <name>.info.json and, last, <name>.result.json; of a failure only the last. Exits with 0 when the model was converted, with 1
when it was not (or Ctrl-C came first), and with 2 for a command line that cannot be understood.

Usage: npm run convert -- INPUT [options]

  INPUT            the model file; what it refers to is read from its folder
  --out DIR        the folder for the outputs (converted), made where it is missing; replaces outputs of an earlier conversion, and no
                   other file
  --settings FILE  conversion settings that count in place of <name>.ConversionSettings.json beside the model
  --json           prints one JSON document in one line to stdout, whatever comes of it: status, error, files, summary, warnings, validation
  --help           this text

The limits are those of the service, as the settings CONVERSION_* of the environment or their defaults say.
`;

const options = {
  out: { type: 'string', default: 'converted' },
  settings: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

const bounds = appSettings.pick({
  CONVERSION_MAX_INPUT_BYTES: true,
  CONVERSION_MAX_INPUT_FILES: true,
  CONVERSION_MAX_NODES: true,
  CONVERSION_MAX_VERTICES: true,
  CONVERSION_MAX_TEXTURE_PIXELS: true,
  CONVERSION_MAX_UNPACKED_BYTES: true,
  CONVERSION_MAX_MEMORY_BYTES: true,
  CONVERSION_TIMEOUT_SECONDS: true,
});

await runCommand({ help, options, operands: ['INPUT'] }, async ({ out, settings, json }, input = '') => {
  const started = performance.now();
  const print = (report: object) => {
    const seconds = Math.round(performance.now() - started) / 1000;
    if (json) process.stdout.write(`${JSON.stringify({ ...report, seconds })}\n`);
  };
  const limits = limitsOfEnvironment(process.env);
  const progress = new Progress(process.stderr);
  using interrupt = listenForInterrupt(() => progress.line('cancelling', 'already'));
  try {
    const model = await modelAt(input);
    const converted = await convertModel(model, {
      out: resolve(out),
      settingsFile: settings,
      limits,
      signal: interrupt.signal,
      onProgress: (now) => progress.line(now.phase, describeProgress(now)),
    });
    progress.line(converted.outcome.status === 'failed' ? 'failed' : 'converted');
    progress.text(describeConverted(converted, resolve(out)));
    print(reportOf(converted, resolve(out)));
    return converted.outcome.status === 'failed' ? 1 : 0;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    progress.line('failed', error.message);
    print({ status: 'failed', error: { code: error.code, message: error.message }, files: [], warnings: [] });
    return 1;
  }
});

/** The service's own. @throws ConfigError */
function limitsOfEnvironment(environment: NodeJS.ProcessEnv): ConversionLimits {
  const parsed = bounds.safeParse(environment);
  if (parsed.success) return limitsOf(parsed.data);
  throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}.`));
}

/** What `--json` prints: an outcome with the files that were written in place of the asset's path. */
function reportOf({ outcome, files }: Converted, out: string): object {
  const { status, warnings } = outcome;
  if (outcome.status === 'failed') return { status, error: outcome.error, out, files, warnings };
  const { summary, validation } = outcome;
  return { status, out, files, summary, warnings, validation };
}
