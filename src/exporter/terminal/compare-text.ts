/** `explain --compare-release` for the terminal: the answer and the changes for each Filebeat. Pure. */
import type { Comparison } from '../../explain/explained.js';
import { answerText, faultRemedy, listenerText, placedFault, releaseText } from '../../explain/sentences.js';
import type { Gap, Listener, Prediction } from '../../model/model.js';
import { positionText } from '../../words/locations.js';
import { plural } from '../format.js';
import { type Fact, factLines } from './explain-lines.js';
import { type ExplainTextOptions, hostGaps, noFilebeat, subjectLine } from './explain-text.js';
import { type Colour, painter } from './terminal.js';

const colours: Record<Comparison['answer'], Colour> = { same: 'green', changes: 'red', unknown: 'yellow' };

/** The whole output, ending with a line feed. `gaps`: of the host as a whole. */
export function compareText(
  all: readonly Comparison[],
  gaps: readonly Gap[],
  { color, columns }: ExplainTextOptions,
): string {
  const paint = painter(color);
  const blocks = all.map((one) =>
    [subjectLine(one.subject, paint), ...factLines(comparisonFacts(one), 2, paint, columns)].join('\n'),
  );
  const body = all.length === 0 ? [noFilebeat] : all.length === 1 ? blocks : [...blocks, sumText(all)];
  return `${[...body, ...hostGaps(gaps, paint, columns)].join('\n\n')}\n`;
}

function comparisonFacts(one: Comparison): Fact[] {
  const { before, after, release, lost, gained, moved, clashing, unchanged, newFaults, goneFaults } = one;
  return [
    ['verdict', answerText(one), colours[one.answer]],
    ['because', after === undefined ? undefined : reasonText(after), 'bold'],
    ['try', after?.reason && faultRemedy(after.reason)],
    ['now', before.outcome === 'runs' ? undefined : reasonText(before)],
    ['release', `${releaseText(before.release)}, compared with ${release}`],
    ['filesets', after?.filesetFallback ? `those of ${release}, from the exporter’s own table` : undefined],
    ...lost.map((listener): Fact => ['loses', claimText(listener), 'red']),
    ...moved.map(({ from, to }): Fact => ['moves', `${claimText(from)} to ${to.protocol} ${listenerText(to)}`, 'red']),
    ...gained.map((listener): Fact => ['gains', claimText(listener), 'yellow']),
    ...clashing.map(
      (listener): Fact => ['conflict', `${claimText(listener)} collides with another of its listeners`, 'red'],
    ),
    ['keeps', unchanged === 0 ? undefined : plural(unchanged, 'listener')],
    ...newFaults.map((fault): Fact => ['new fault', placedFault(fault), 'yellow']),
    ...goneFaults.map((fault): Fact => ['fixed', placedFault(fault)]),
    ...one.subject.remarks.map((remark): Fact => ['note', remark]),
  ];
}

function reasonText({ reason }: Prediction): string | undefined {
  return reason && placedFault(reason);
}

function claimText(listener: Listener): string {
  return `${listener.protocol} ${listenerText(listener)}  ${listener.input}  ${positionText(listener.declaredIn)}`;
}

/** The result for the whole host. */
function sumText(all: readonly Comparison[]): string {
  const changing = all.filter(({ answer }) => answer === 'changes');
  const changes = changing.length;
  const stops = changing.filter(({ after }) => after?.outcome === 'exits').length;
  const unknown = all.filter(({ answer }) => answer === 'unknown').length;
  return [
    `${plural(all.length, 'Filebeat')} under ${all[0]!.release}: ${stops} would not start`,
    `${changes - stops} otherwise changed`,
    `${unknown} not known`,
    `${all.length - changes - unknown} unchanged`,
  ].join(', ');
}
