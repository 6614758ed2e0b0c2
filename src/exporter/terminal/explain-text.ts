/** `explain` for the terminal: the verdict and the files of each Filebeat, then every listener with all that is known about it. Pure. */
import type { ExplainedListener, Explanation, ListenerStatus, Subject } from '../../explain/explained.js';
import { isBlocked, troublesOf } from '../../explain/explanation.js';
import {
  collisionText,
  countText,
  faultRemedy,
  fileText,
  listenerText,
  outcomeText,
  placedFault,
  raceText,
  releaseOutcomeText,
  releaseText,
  reloadText,
  socketText,
  whyText,
} from '../../explain/sentences.js';
import type { ConfigFile, Gap, Prediction } from '../../model/model.js';
import { positionText } from '../../words/locations.js';
import { plural } from '../format.js';
import { type Fact, factLines } from './explain-lines.js';
import { type Colour, cut, type Paint, painter, safe } from './terminal.js';

export interface ExplainTextOptions {
  /** Colours are supported and not disabled by NO_COLOR. */
  color: boolean;
  /** Width of the terminal; absent if the output is not a terminal. */
  columns?: number;
}

const outcomeColours: Record<Prediction['outcome'], Colour> = {
  runs: 'green',
  exits: 'red',
  dynamic: 'yellow',
  ambiguous: 'yellow',
  unknown: 'yellow',
};
const statusColours: Record<ListenerStatus, Colour> = {
  resolved: 'green',
  random: 'yellow',
  unresolved: 'yellow',
  invalid: 'red',
};

/** The whole output, ending with a line feed. `gaps`: of the host as a whole. */
export function explainText(
  all: readonly Explanation[],
  gaps: readonly Gap[],
  { color, columns }: ExplainTextOptions,
): string {
  const paint = painter(color);
  const blocks = all.map((one) => explanationLines(one, paint, columns).join('\n'));
  return `${[...(all.length === 0 ? [noFilebeat] : blocks), ...hostGaps(gaps, paint, columns)].join('\n\n')}\n`;
}

export const noFilebeat = 'no Filebeat runs here and none is expected';

/** More gaps are only counted: a host that hides its processes has thousands. */
const maxGaps = 20;

export function hostGaps(gaps: readonly Gap[], paint: Paint, columns: number | undefined): string[] {
  if (gaps.length === 0) return [];
  const facts = gaps.slice(0, maxGaps).map((gap): Fact => ['not seen', gapText(gap), 'yellow']);
  const left = gaps.length - maxGaps;
  if (left > 0) facts.push(['not seen', plural(left, 'more gap')]);
  return [factLines(facts, 0, paint, columns).join('\n')];
}

/** Name, pid and main files of the Filebeat. */
export function subjectLine({ name, pid, config }: Subject, paint: Paint): string {
  const parts = [name, pid === undefined ? undefined : `pid ${pid}`].filter((part) => part !== undefined);
  const head = parts.length === 0 ? [config] : [...parts, config];
  const [first = '', ...others] = head.map((part) => cut(safe(part), 160));
  return [paint(first, 'bold'), ...others].join('  ');
}

function explanationLines(one: Explanation, paint: Paint, columns: number | undefined): string[] {
  const { prediction, listeners, subject } = one;
  const { outcome, reason, release, paths, faults, gaps } = prediction;
  const noModules = faults.find(({ code }) => code === 'no-module-folder');
  const counted = outcome === 'runs' || listeners.length > 0 ? `; ${countText(one)}` : '';
  const facts: Fact[] = [
    ['verdict', `${outcomeText(prediction)}${counted}`, outcomeColours[outcome]],
    ['because', reason && placedFault(reason), 'bold'],
    ['try', reason && faultRemedy(reason)],
    ['here', isBlocked(one) ? 'would not start: its stats endpoint cannot be bound on this host' : undefined, 'red'],
    ['release', releaseText(release)],
    ...(prediction.doubts ?? []).map((fault): Fact => ['unsure', placedFault(fault), 'yellow']),
    ...releaseLines(one).map((text): Fact => ['releases', text]),
    ['paths', paths.home === '' ? undefined : `home ${paths.home}, config ${paths.config}, data ${paths.data}`],
    ...fileFacts(prediction.files),
    ['filesets', filesetText(prediction)],
    ['modules', noModules && placedFault(noModules)],
    ...troublesOf(prediction).map((fault): Fact => ['lost', placedFault(fault), 'yellow']),
    ...gaps.map((gap): Fact => ['not seen', gapText(gap), 'yellow']),
    ...subject.remarks.map((remark): Fact => ['note', remark]),
    ...(one.dataSharedWith ?? []).map((name): Fact => ['note', `“${name}” uses the same path.data`, 'yellow']),
  ];
  return [
    subjectLine(subject, paint),
    ...factLines(facts, 2, paint, columns),
    ...listeners.flatMap((listener) => ['', ...listenerLines(listener, paint, columns)]),
  ];
}

/** The outcomes under the known releases, if its own release is not known. */
function releaseLines({ byRelease = [] }: Explanation): string[] {
  return byRelease.map((group, at) => releaseOutcomeText(group, at === 0, at === byRelease.length - 1));
}

/** Manifests and templates are only counted: they are many, and only an installation changes them. */
function fileFacts(files: readonly ConfigFile[]): Fact[] {
  const manifests = files.filter((file) => file.role === 'manifest').length;
  const facts = files
    .filter((file) => file.role !== 'manifest')
    .map((file): Fact => ['reads', `${file.path} (${fileText(file)})`]);
  return manifests === 0 ? facts : [...facts, ['reads', `${plural(manifests, 'file')} of its modules`]];
}

function filesetText({ filesetFallback }: Prediction): string | undefined {
  return filesetFallback
    ? 'from the exporter’s own table, because the module folder of its home was not read'
    : undefined;
}

function gapText({ reason, subject, detail }: Gap): string {
  return `${subject} (${reason}${detail === undefined ? '' : `, ${detail}`})`;
}

function listenerLines(
  { listener, status, ifTaken, races, collisions, onHost }: ExplainedListener,
  paint: Paint,
  columns: number | undefined,
): string[] {
  const head = [listener.protocol, paint(safe(listenerText(listener)), 'bold'), paint(status, statusColours[status])];
  const bound = socketText(listener);
  const facts: Fact[] = [
    ['input', listener.input === 'http' ? 'http (the stats endpoint)' : listener.input],
    ['declared', positionText(listener.declaredIn)],
    ['becomes', bound],
    ['why', whyText(listener)],
    ...races.map((race): Fact => ['conflict', raceText(race), 'yellow']),
    ...(collisions ?? []).map((collision): Fact => ['collision', collisionText(collision), 'red']),
    ['address', onHost === false ? 'no interface of this host has it, so the bind fails' : undefined, 'red'],
    ['collision', collisions?.length === 0 && bound !== undefined ? 'none' : undefined],
    ['if taken', ifTaken],
    ['shared', listener.shares ? 'with other http_endpoint inputs of this Filebeat that have another url' : undefined],
    ['reload', reloadText(listener)],
    ['start', listener.slowStart ? 'up to 25 s after Filebeat itself, because its script is large' : undefined],
    ...(listener.notes ?? []).map((note): Fact => ['note', note]),
  ];
  return [`  ${head.join('  ')}`, ...factLines(facts, 4, paint, columns)];
}
