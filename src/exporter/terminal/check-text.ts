/** `check`: a Report for the terminal: summary line, mismatches (worst first), tables of instances, ports, plain ports and gaps. */

import { endpointKey } from '../../model/endpoint.js';
import type { Gap, PortVerdict, Report, Severity } from '../../model/model.js';
import { flowState, rateText } from '../../words/flow.js';
import { endpointText, positionText } from '../../words/words.js';
import { duration, grouped, plural } from '../format.js';
import { countAll, type InstanceView, instanceState, instanceViews, mismatchView, ownerOf, portTone } from '../view.js';
import { type ExitCode, exitCode, perfdata, stateWords, summary } from './summary.js';
import { type Cell, type Colour, cut, type Paint, painter, safe, table, wrap } from './terminal.js';

export interface TextOptions {
  /** Colours are supported and not disabled by NO_COLOR. */
  color: boolean;
  /** Width of the terminal; absent if the output is not a terminal: then only extremely long cells are truncated. */
  columns?: number;
  /** Print only the first line. */
  quiet: boolean;
}

const severityColours: Record<Severity, Colour> = { critical: 'red', warning: 'yellow', info: 'blue' };
const stateColours: Record<ExitCode, Colour> = { 0: 'green', 1: 'yellow', 2: 'red', 3: 'yellow' };

function mismatchLines(report: Report, paint: Paint, columns: number | undefined): string[] {
  return report.verdict.mismatches.flatMap((mismatch) => {
    const { severity, title, expected, seen, cause, evidence, remedy } = mismatchView(mismatch);
    const subject = [
      mismatch.name,
      mismatch.protocol === undefined
        ? undefined
        : `${mismatch.protocol} ${endpointText(mismatch.address ?? '*', mismatch.port)}`,
    ].filter((part) => part !== undefined);
    const since = mismatch.since === undefined ? '' : duration(report.snapshot.takenAt - mismatch.since);
    const facts: [string, string][] = [
      ['expected', expected],
      ['seen', seen],
      ['cause', cause],
      ...evidence.map((text): [string, string] => ['also', text]),
      ['try', remedy],
      ['for', since === '0s' ? '' : since],
    ];
    const head = `${paint(severity.toUpperCase().padEnd(8), severityColours[severity])}  ${paint(safe(title), 'bold')}  ${cut(safe(subject.join('  ')), 160)}`;
    const lines = facts
      .filter(([, text]) => text !== '')
      .flatMap(([label, text]) => {
        // Commands are not wrapped, so that they can be copied.
        const parts = columns === undefined || label === 'try' ? [safe(text)] : wrap(safe(text), columns - 20);
        return parts.map((part, i) => `          ${paint((i === 0 ? label : '').padEnd(8), 'dim')}  ${part}`);
      });
    return [head, ...lines, ''];
  });
}

const toneColours = { ok: 'green', odd: 'yellow', bad: 'red' } as const;

function instanceRow(view: InstanceView): Cell[] {
  const { instance, verdict } = view;
  const { word, tone } = instanceState(view);
  const up = verdict.ports.filter((port) => port.up).length;
  return [
    { text: instance.name },
    { text: word, colour: toneColours[tone] },
    { text: String(instance.process?.pid ?? '') },
    { text: `${up}/${verdict.ports.length}`, ...(up < verdict.ports.length ? { colour: 'red' } : {}) },
    { text: instance.prediction.release.version ?? '' },
    { text: instance.unit ?? '' },
    { text: instance.config },
  ];
}

function portRow({ instance: { name, selfReport } }: InstanceView, port: PortVerdict, now: number): Cell[] {
  const arrived = selfReport?.listeners[endpointKey(port)]?.lastArrival;
  const owner = ownerOf(port);
  return [
    { text: name },
    { text: port.protocol },
    { text: endpointText(port.address, port.port) },
    { text: port.status, colour: toneColours[portTone(port.status)] },
    { text: port.input },
    { text: arrived === undefined ? '' : `${duration(now - arrived)} ago` },
    { text: owner === undefined ? '' : `${owner.comm} (${owner.pid})` },
    { text: positionText(port.listeners[0]?.declaredIn) },
  ];
}

const arrivalColumn = 5;

/** Rows of a table. If there are more ports, the served ones are omitted first. */
const maxRows = 200;

function portLines(views: readonly InstanceView[], now: number, paint: Paint, columns: number | undefined): string[] {
  const all = views.flatMap((view) => view.verdict.ports.map((port) => ({ view, port })));
  if (all.length === 0) return [];
  const listed = all.length <= maxRows ? all : all.filter(({ port }) => port.status !== 'listening').slice(0, maxRows);
  const left = all.length - listed.length;
  // The column is shown only if a Filebeat counts what arrives.
  const counted = listed.some(({ view, port }) => view.instance.selfReport?.listeners[endpointKey(port)]?.lastArrival);
  const shown = <T>(cells: T[]): T[] => (counted ? cells : cells.filter((_, at) => at !== arrivalColumn));
  const lines = table(
    shown([
      { title: 'INSTANCE', least: 8 },
      { title: 'PROTO', least: 3, drop: 2 },
      { title: 'ENDPOINT', least: 12 },
      { title: 'STATUS', least: 10 },
      { title: 'INPUT', least: 6, drop: 3 },
      { title: 'LAST ARRIVAL', align: 'right' as const, least: 8, drop: 4 },
      { title: 'OWNER', least: 8, drop: 4 },
      { title: 'DECLARED IN', least: 16, drop: 5 },
    ]),
    listed.map(({ view, port }) => portRow(view, port, now)).map(shown),
    paint,
    columns,
  );
  const note = left === 0 ? [] : [`${plural(left, 'more port')} not listed; --json lists all of them.`];
  return [...(listed.length === 0 ? [] : lines), ...note, ''];
}

function instanceLines(views: readonly InstanceView[], paint: Paint, columns: number | undefined): string[] {
  if (views.length === 0) return [];
  const lines = table(
    [
      { title: 'INSTANCE', least: 8 },
      { title: 'STATE', least: 7 },
      { title: 'PID', align: 'right', least: 3, drop: 1 },
      { title: 'PORTS', align: 'right', least: 3 },
      { title: 'VERSION', least: 5, drop: 3 },
      { title: 'UNIT', least: 12, drop: 4 },
      { title: 'CONFIG', least: 16, drop: 2 },
    ],
    views.map(instanceRow),
    paint,
    columns,
  );
  return [...lines, ''];
}

const flowColours = { ok: 'green', odd: 'yellow', bad: 'red' } as const;

/** The event flow of instances that report it. */
function flowLines(views: readonly InstanceView[], paint: Paint, columns: number | undefined): string[] {
  const rows = views.flatMap(({ instance: { name, selfReport } }): Cell[][] => {
    if (selfReport === undefined) return [];
    const { rates, active, queueMax, outputType = '' } = selfReport;
    const { tone, text } = flowState(selfReport);
    const queue = active === undefined ? '' : `${grouped(active)}${queueMax ? ` of ${grouped(queueMax)}` : ''}`;
    return [
      [
        { text: name },
        { text: rates === undefined ? '' : rateText(rates.in) },
        { text: queue, ...(selfReport.full ? { colour: 'red' } : {}) },
        { text: rates === undefined ? '' : rateText(rates.out) },
        { text: outputType },
        { text, colour: flowColours[tone] },
      ],
    ];
  });
  if (rows.length === 0) return [];
  const head = [
    { title: 'INSTANCE', least: 8 },
    { title: 'IN', align: 'right' as const, least: 4 },
    { title: 'QUEUE', align: 'right' as const, least: 5 },
    { title: 'OUT', align: 'right' as const, least: 4 },
    { title: 'OUTPUT', least: 6, drop: 1 },
    { title: 'EVENTS', least: 16 },
  ];
  return [...table(head, rows.slice(0, maxRows), paint, columns), ''];
}

function staticLines(report: Report, paint: Paint, columns: number | undefined): string[] {
  const { statics } = report.verdict;
  if (statics.length === 0) return [];
  const rows = statics.map((port): Cell[] => [
    { text: port.protocol },
    { text: endpointText(port.address ?? '*', port.port) },
    port.up ? { text: 'bound', colour: 'green' } : { text: 'not bound', colour: 'red' },
    { text: port.owner === undefined ? (port.process ?? '') : `${port.owner.comm} (${port.owner.pid})` },
  ]);
  const head = [
    { title: 'PROTO', least: 3 },
    { title: 'PLAIN PORT', least: 8 },
    { title: 'STATUS', least: 5 },
    { title: 'PROCESS', least: 8, drop: 1 },
  ];
  return [...table(head, rows, paint, columns), ''];
}

/** More gaps are only counted: a host that hides its processes has thousands. */
const maxGaps = 20;

function gapLines(gaps: readonly Gap[], paint: Paint, columns: number | undefined): string[] {
  if (gaps.length === 0) return [];
  const rows = gaps
    .slice(0, maxGaps)
    .map((gap): Cell[] => [{ text: gap.reason, colour: 'yellow' }, { text: gap.subject }, { text: gap.detail ?? '' }]);
  const head = [
    { title: 'NOT SEEN', least: 8 },
    { title: 'WHAT', least: 16 },
    { title: 'WHY', least: 8, drop: 1 },
  ];
  const left = gaps.length - rows.length;
  return [...table(head, rows, paint, columns), ...(left > 0 ? [`${plural(left, 'more gap')} not listed.`] : []), ''];
}

/** Monitoring systems read everything after a `|` as performance data, so only the separator before it may be one. */
const withoutBars = (text: string) => text.replaceAll('|', '\\x7c');

/** The whole output of `check`, ending with a line feed. */
export function checkText(report: Report, options: TextOptions): string {
  const paint = painter(options.color);
  const counts = countAll(report);
  const code = exitCode(report, counts);
  const text = `${paint(stateWords[code], stateColours[code])} - ${summary(report, counts)}`;
  const first = `${withoutBars(text)} | ${perfdata(counts)}`;
  if (options.quiet) return `${first}\n`;
  const views = instanceViews(report);
  const { columns } = options;
  const lines = [
    '',
    ...mismatchLines(report, paint, columns),
    ...instanceLines(views, paint, columns),
    ...flowLines(views, paint, columns),
    ...portLines(views, report.snapshot.takenAt, paint, columns),
    ...staticLines(report, paint, columns),
    ...gapLines(report.snapshot.gaps, paint, columns),
  ];
  return `${[first, ...lines.map(withoutBars)].join('\n').trimEnd()}\n`;
}
