import type { ConversionOutcome, ConversionProgress } from '#lib/conversion';
import type { Converted } from './convert-model.ts';
import type { OutputFile } from './outputs.ts';

/** A warning that is told so often is shown this many times. */
const WARNINGS_SHOWN = 10;
const FINDINGS_SHOWN = 5;

/** The sizes that are known in a phase, for people. */
export function describeProgress({ inputBytes, triangles, vertices, outputBytes }: ConversionProgress): string {
  const parts = [
    inputBytes === undefined ? [] : [amount(inputBytes, 'bytes')],
    triangles === undefined || triangles === 0 ? [] : [amount(triangles, 'triangles')],
    vertices === undefined ? [] : [amount(vertices, 'vertices')],
    outputBytes === undefined ? [] : [`${amount(outputBytes, 'bytes')} out`],
  ];
  return parts.flat().join(', ');
}

/** What came of a conversion, for people. */
export function describeConverted({ outcome, files }: Converted, out: string): string[] {
  const lines = outcome.status === 'failed' ? [entry('failed', outcome.error.message)] : describeSuccess(outcome);
  return ['', ...lines, ...describeWarnings(outcome), ...describeOutputs(files, out)];
}

function describeSuccess({ summary, validation }: Extract<ConversionOutcome, { status: 'succeeded' }>): string[] {
  const { input, output } = summary;
  const share = ((output.bytes / input.bytes) * 100).toFixed(1);
  const { validator, numErrors, numWarnings, numInfos, messages } = validation;
  return [
    entry('bytes', `${number(input.bytes)} in, ${number(output.bytes)} out (${share} %)`),
    entry('triangles', `${number(input.triangles)} in, ${number(output.triangles)} out`),
    entry('vertices', `${number(input.vertices)} in, ${number(output.vertices)} out`),
    entry('materials', `${number(input.materials)} in, ${number(output.materials)} out`),
    entry('valid', `${numErrors} errors, ${numWarnings} warnings, ${numInfos} infos (${validator})`),
    ...messages.slice(0, FINDINGS_SHOWN).map((message) => entry('', message)),
  ];
}

function describeWarnings({ warnings }: ConversionOutcome): string[] {
  const shown = warnings.slice(0, WARNINGS_SHOWN).map(({ code, title, details }) => {
    const said = Object.values(details).filter((detail) => detail !== '');
    return entry('warning', [`${code} ${title}`, ...(said.length > 0 ? [said.join(', ')] : [])].join(': '));
  });
  const more = warnings.length - shown.length;
  return more > 0 ? [...shown, entry('warning', `and ${more} more, which are in the result file`)] : shown;
}

function describeOutputs(files: readonly OutputFile[], out: string): string[] {
  return files.map(({ name, bytes }) => entry('output', `${name} (${number(bytes)} bytes), in ${out}`));
}

function entry(what: string, detail: string): string {
  return `  ${what.padEnd(10)} ${detail}`.trimEnd();
}

function amount(value: number, what: string): string {
  return `${number(value)} ${what}`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
