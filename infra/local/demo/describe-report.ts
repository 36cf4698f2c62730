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
