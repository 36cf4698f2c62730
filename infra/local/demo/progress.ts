import type { DemoReport, PipelineAnswer } from './report.ts';

/** Shows the journey to a person: one line for each state, and a lease that counts down in place on a terminal. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #start = performance.now();
  #state: string | undefined;
  #counting = false;
  #lastCount = Number.POSITIVE_INFINITY;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  line(what: string, detail = ''): void {
    this.#endCount();
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1).padStart(6);
    this.#out.write(`${seconds} s  ${what.padEnd(11)} ${detail}`.trimEnd().concat('\n'));
  }

  show(pipeline: PipelineAnswer, remainingSeconds: number | null): void {
    if (pipeline.state !== this.#state) {
      this.#state = pipeline.state;
      this.line(pipeline.state, detailOf(pipeline));
    }
    if (remainingSeconds !== null) this.#count(Math.ceil(remainingSeconds));
  }

  /** On a terminal each second; in a log file at most every ten seconds, so that it stays readable. */
  #count(seconds: number): void {
    if (seconds === this.#lastCount) return;
    if (this.#out.isTTY) {
      this.#counting = true;
      this.#out.write(`\r            lease       ${String(seconds).padStart(4)} s left `);
    } else if (this.#lastCount - seconds >= 10 || seconds === 5) {
      this.line('lease', `${seconds} s left`);
    } else {
      return;
    }
    this.#lastCount = seconds;
  }

  #endCount(): void {
    if (this.#counting) this.#out.write('\n');
    this.#counting = false;
  }
}

/** The short report of a run, for people. */
export function describeReport({ conversion, vm, outputs, timings }: DemoReport): string[] {
  const lines: string[] = [''];
  if (conversion) {
    const { input, output } = conversion;
    const share = ((output.bytes / input.bytes) * 100).toFixed(1);
    lines.push(`  bytes      ${number(input.bytes)} in, ${number(output.bytes)} out (${share} %)`);
    lines.push(`  triangles  ${number(input.triangles)} in, ${number(output.triangles)} out`);
    lines.push(
      ...conversion.warnings.map(({ title, details }) => `  warning    ${title}: ${Object.values(details).join(', ')}`),
    );
  }
  const steps = Object.entries(timings).flatMap(([step, took]) =>
    took === null ? [] : [`${step} ${took.toFixed(1)} s`],
  );
  lines.push(`  took       ${steps.join(', ')}`);
  lines.push(
    vm?.seconds == null ? '  machine    never ran' : `  machine    ran ${vm.seconds.toFixed(1)} s, seen stopped`,
  );
  lines.push(...(outputs ?? []).map(({ name, bytes }) => `  output     ${name} (${number(bytes)} bytes)`));
  return [...lines, ''];
}

function detailOf(pipeline: PipelineAnswer): string {
  const { state, reason, evidence, missingFiles, session, conversion } = pipeline;
  switch (state) {
    case 'waiting':
      return missingFiles.length > 0 ? `for ${missingFiles.join(', ')}` : '';
    case 'starting':
      return conversion ? `a machine; the asset has ${number(conversion.output.bytes)} bytes` : 'a machine';
    case 'ready':
      return session ? `look at it: http://${session.hostname}:${session.ports.inspector}/` : '';
    default:
      return reason === null ? '' : `${reason}: ${evidence ?? ''}`;
  }
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
