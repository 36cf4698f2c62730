import { clearLine, cursorTo } from 'node:readline';
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { PipelineWithHistory } from '#lib/api';

/** How long the lease still runs, of how much, in seconds; null before its clock runs. */
export interface LeaseReading {
  readonly maxLeaseSeconds: number;
  readonly remainingSeconds: number | null;
}

type StateEvent = PipelineWithHistory['history'][number];

const WHAT_WIDTH = 11;
const BAR_WIDTH = 24;
/** In a log file what goes on is told this often, so that it stays readable. */
const LOG_SECONDS = 10;
const COLOURS = { ready: 'green', stopped: 'green', converted: 'green', failed: 'red' } as const;

/** Shows the journey to a person: one line for each state, and on a terminal one more that moves until the next. */
export class Progress {
  readonly #out: Writable & { readonly isTTY?: boolean };
  readonly #start: number;
  #latest = 0;
  #shown = 0;
  #waitsFor = '';
  #phase: string | undefined;
  #moving = '';
  #counted: { what: string; seconds: number } | undefined;

  constructor(out: Writable & { readonly isTTY?: boolean }, start = new Date()) {
    this.#out = out;
    this.#start = start.getTime();
  }

  line(what: string, detail = '', at = new Date()): void {
    this.#clearMoving();
    this.#counted = undefined;
    // What the app wrote down may be a moment older than what was shown last; time goes forward all the same.
    this.#latest = Math.max(this.#latest, at.getTime() - this.#start);
    const seconds = (this.#latest / 1000).toFixed(1).padStart(6);
    this.#write(`${seconds} s  ${this.#styled(what)} ${detail}`.trimEnd().concat('\n'));
  }

  /** Text of several lines, as it is. */
  text(lines: readonly string[]): void {
    this.#clearMoving();
    for (const line of lines) this.#write(`${line}\n`);
  }

  /** Shows what is new of a pipeline: every state that it went through since, however short it was, and how the present one goes. */
  show(pipeline: PipelineWithHistory, lease: LeaseReading | null, now = new Date()): void {
    const states = pipeline.history.filter(({ type }) => type === 'state');
    for (const event of states.slice(this.#shown))
      this.line(event.state, detailOf(event, pipeline), new Date(event.at));
    this.#shown = states.length;

    const waitsFor = pipeline.state === 'waiting' ? pipeline.missingFiles.join(', ') : '';
    if (waitsFor !== '' && waitsFor !== this.#waitsFor) this.line('waiting', `for ${waitsFor}`, now);
    this.#waitsFor = waitsFor;

    const { progress } = pipeline;
    if (progress !== null && progress.phase !== this.#phase) this.line('converting', describePhase(progress), now);
    this.#phase = progress?.phase;

    const since = Date.parse(states.at(-1)?.at ?? pipeline.history[0]?.at ?? now.toISOString());
    if (lease?.remainingSeconds != null) this.#countLease(lease.remainingSeconds, lease.maxLeaseSeconds, now);
    else this.#countState(pipeline.state, Math.floor((now.getTime() - since) / 1000), now);
  }

  #countLease(remaining: number, total: number, now: Date): void {
    const left = Math.ceil(remaining);
    const filled = Math.min(BAR_WIDTH, Math.round((remaining / total) * BAR_WIDTH));
    const bar = '█'.repeat(filled).padEnd(BAR_WIDTH, '░');
    this.#count('lease', left, `${left} s left`, `${bar} ${left} s left`, now);
  }

  #countState(state: PipelineWithHistory['state'], seconds: number, now: Date): void {
    if (state === 'stopped' || state === 'converted' || state === 'failed' || seconds < 1) return;
    this.#count(state, seconds, `for ${seconds} s`, `for ${seconds} s`, now);
  }

  #count(what: string, seconds: number, inLog: string, onTerminal: string, now: Date): void {
    if (this.#out.isTTY) {
      const moving = `${' '.repeat(10)}${what.padEnd(WHAT_WIDTH)} ${onTerminal}`;
      if (moving === this.#moving) return;
      this.#clearMoving();
      this.#moving = moving;
      this.#write(moving);
      return;
    }
    const last = this.#counted?.what === what ? this.#counted.seconds : what === 'lease' ? undefined : 0;
    if (last !== undefined && Math.abs(seconds - last) < LOG_SECONDS) return;
    this.line(what, inLog, now);
    this.#counted = { what, seconds };
  }

  #clearMoving(): void {
    if (this.#moving === '') return;
    this.#moving = '';
    clearLine(this.#out, 0);
    cursorTo(this.#out, 0);
  }

  #styled(what: string): string {
    const padded = what.padEnd(WHAT_WIDTH);
    const colour = Object.entries(COLOURS).find(([state]) => state === what)?.[1];
    return styleText(colour ? ['bold', colour] : 'bold', padded, { stream: this.#out });
  }

  #write(text: string): void {
    this.#out.write(text);
  }
}

function describePhase({ phase, inputBytes, triangles, outputBytes }: Exclude<PipelineWithHistory['progress'], null>) {
  const counted = (value: number | undefined, what: string) =>
    value === undefined ? [] : [`${value.toLocaleString('en-US')} ${what}`];
  // Whoever knows what came out does not need to hear again what went in.
  const size = outputBytes === undefined ? counted(inputBytes, 'bytes in') : counted(outputBytes, 'bytes out');
  return `${phase}: ${[...size, ...counted(triangles, 'triangles')].join(', ')}`.replace(/: $/, '');
}

function detailOf(event: StateEvent, { conversion, session, machine }: PipelineWithHistory): string {
  const why = event.reason === null ? '' : `${event.reason}: ${event.evidence ?? ''}`;
  switch (event.state) {
    case 'waiting':
      return 'for the files that the model refers to';
    case 'converting':
      return 'to one checked and compressed GLB';
    case 'starting': {
      const bytes = conversion ? `${conversion.output.bytes.toLocaleString('en-US')} bytes` : 'what was asked';
      return `a machine for the asset of ${bytes}${conversion?.cached ? ', converted by an earlier run' : ''}`;
    }
    case 'ready':
      return session ? `look at it: http://${session.hostname}:${session.ports.inspector}/` : '';
    case 'stopped':
      return machine?.stoppedAt === undefined ? why : 'the machine was seen stopped';
    default:
      return why;
  }
}
