import { adviceOn } from './advice.ts';
import type { DemoReport } from './report.ts';

/** The short report of a run, for people; of one that failed, why and what to do. `log` is where the stack's own words are. */
export function describeReport(report: DemoReport, log: string): string[] {
  const { conversion, vm, outputs, timings } = report;
  const lines = [...describeConversion(conversion)];
  const steps = Object.entries(timings).flatMap(([step, took]) =>
    took === null ? [] : [`${step} ${took.toFixed(1)} s`],
  );
  lines.push(entry('took', steps.join(', ')), entry('machine', describeMachine(vm)));
  lines.push(...describeEvents(report.events));
  lines.push(...(outputs ?? []).map(({ name, bytes }) => entry('output', `${name} (${number(bytes)} bytes)`)));
  if (report.status === 'failed') {
    lines.push('', entry('failed', `${report.reason}: ${report.evidence ?? ''}`));
    lines.push(entry('what to do', adviceOn(report.reason, log)));
  }
  return ['', ...lines, ''];
}

function describeConversion(conversion: DemoReport['conversion']): string[] {
  if (conversion === null) return [];
  const { input, output, warnings } = conversion;
  const share = ((output.bytes / input.bytes) * 100).toFixed(1);
  return [
    entry('bytes', `${number(input.bytes)} in, ${number(output.bytes)} out (${share} %)`),
    entry('triangles', `${number(input.triangles)} in, ${number(output.triangles)} out`),
    ...warnings.map(({ code, title, details }) =>
      entry('warning', `${code} ${title}: ${Object.values(details).join(', ')}`),
    ),
  ];
}

/** What came live, by what it was about; how late it was is told of what happened while the demo was connected. */
function describeEvents(events: DemoReport['events']): string[] {
  const delays = events
    .filter(({ type }) => !type.endsWith('.present'))
    .map(({ at, receivedAt }) => Date.parse(receivedAt) - Date.parse(at))
    .toSorted((one, other) => one - other);
  const median = delays[Math.floor(delays.length / 2)];
  const late = median === undefined ? '' : `, half of them within ${median} ms of being written`;
  const subjects = ['pipeline', 'conversion', 'session'].flatMap((kind) => {
    const about = events.filter(({ type }) => type.startsWith(`remoterendering.${kind}.`));
    return about.length === 0 ? [] : [entry('', `${kind.padEnd(11)} ${about.map(wordFor).join(', ')}`)];
  });
  return [entry('events', `${events.length} came over a WebSocket${late}`), ...subjects];
}

function wordFor({ type, state, phase }: DemoReport['events'][number]): string {
  const what = type.replace(/^.*\./, '');
  return what === 'state' || what === 'present' ? state : (phase ?? what);
}

function describeMachine(vm: DemoReport['vm']): string {
  if (vm === null) return 'none was started';
  return vm.seconds === null ? 'was not seen stopped' : `ran ${vm.seconds.toFixed(1)} s, seen stopped`;
}

function entry(what: string, detail: string): string {
  return `  ${what.padEnd(10)} ${detail}`.trimEnd();
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}
