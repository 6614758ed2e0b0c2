/**
 * `explain`: the listeners that one command line, one running process or every instance declares; also their collisions
 * on the host (`--against-host`), or what changes under another release (`--compare-release`).
 */
import type { Neighbourhood } from '../explain/collisions.js';
import type { Comparison, Explanation } from '../explain/explained.js';
import { explainCode, explanation } from '../explain/explanation.js';
import type { PredictOptions } from '../filebeat/predict.js';
import { newestOfLine } from '../filebeat/releases/releases.js';
import { outcomesByRelease } from '../filebeat/unknown-release.js';
import { isSameProcess } from '../model/instance-rules.js';
import type { Gap, Prediction } from '../model/model.js';
import { asciiControls } from '../runtime/controls.js';
import type { Logger } from '../runtime/log.js';
import type { ExplainHost } from './explain-host.js';
import { type ExplainSubject, subjectOfCommand, subjectOfProcess } from './explain-subject.js';
import type { Flags } from './flags.js';
import type { Printed, Terminal } from './print-once.js';
import { readSettings } from './read-settings.js';
import { StartError } from './start-error.js';
import { version } from './version.js';

/**
 * Exit code 1: a Filebeat would not start or would collide (comparing: something changes); 3: something cannot be
 * determined. Throws `StartError` for flags that exclude each other and for a pid that is not a Filebeat.
 */
export async function explain(
  flags: Flags,
  argv: readonly string[] | undefined,
  log: Logger,
  terminal: Terminal,
): Promise<Printed> {
  checkFlags(flags, argv);
  const { processNames } = (await readSettings(flags['config.file'])).discovery;
  const one =
    argv !== undefined
      ? await subjectOfCommand(argv, flags, processNames)
      : flags.pid !== undefined
        ? await subjectOfProcess(flags.pid, flags, processNames)
        : undefined;
  const needsScan = one === undefined || one.process !== undefined || flags['against-host'];
  // A command line alone needs no scan, and loading the scanner takes longer than the whole explanation.
  const host = needsScan ? await (await import('./explain-host.js')).scanForExplain(flags, log) : undefined;
  const subjects = one === undefined ? (host?.subjects ?? []) : [withIdentity(one, host)];
  const release = flags['compare-release'];
  if (release !== undefined) return compareAll(subjects, flags, newestOfLine(release), host, terminal);
  const explained = subjects.map((subject) => {
    const single = explanation(...predictionOf(subject, flags));
    return { subject, explanation: one === undefined ? single : byRelease(subject, single) };
  });
  const predicted = explained.map((each) => each.explanation);
  const neighbourhoods = flags['against-host'] ? await host?.around(explained) : undefined;
  const all = neighbourhoods === undefined ? predicted : await against(predicted, neighbourhoods);
  const gaps = one === undefined ? (host?.gaps ?? []) : [];
  const text = flags.json
    ? json((await import('../exporter/json/explain-json.js')).explainDocument(all, gaps, version))
    : (await import('../exporter/terminal/explain-text.js')).explainText(all, gaps, terminal);
  return { text, code: withHost(explainCode(all), one === undefined ? host : undefined) };
}

/** Adds the prediction of each known release where the release is not detected and they differ. Too slow for a whole host. */
function byRelease(subject: ExplainSubject, single: Explanation): Explanation {
  const { source } = single.prediction.release;
  if (source !== 'assumed' && source !== 'hint') return single;
  const outcomes = outcomesByRelease((release) => subject.predict(release) ?? single.prediction);
  return outcomes.length < 2 ? single : { ...single, byRelease: outcomes };
}

function checkFlags(flags: Flags, argv: readonly string[] | undefined): void {
  if (argv === undefined && (flags.cwd !== undefined || flags.env.length > 0))
    throw new StartError('--cwd and --env belong to a command line after --');
  if (flags['against-host'] && flags['compare-release'] !== undefined)
    throw new StartError('--against-host and --compare-release exclude each other');
}

/** For a process: adds which instance it is on this host and why, and uses that instance's prediction. */
function withIdentity(one: ExplainSubject, host: ExplainHost | undefined): ExplainSubject {
  const identity = one.process === undefined ? undefined : host?.whoIs(one.process);
  if (identity === undefined) return one;
  const { subject } = one;
  // The prediction that `check` and the page use: it knows possible releases and predictions that the process refuted.
  const scanned = host?.subjects.find(({ process }) => isSameProcess(process, one.process))?.predict({});
  return {
    ...one,
    subject: { ...subject, remarks: [identity.remark, ...subject.remarks] },
    predict: (options) => (scanned !== undefined && Object.keys(options).length === 0 ? scanned : one.predict(options)),
  };
}

function json(document: object): string {
  return `${asciiControls(JSON.stringify(document, null, 2))}\n`;
}

/** If the scan failed, "no Filebeat" is not known to be true. */
function withHost(code: 0 | 1 | 3, host: ExplainHost | undefined): 0 | 1 | 3 {
  return code === 0 && host?.usable === false ? 3 : code;
}

function baseOptions(flags: Flags): PredictOptions {
  const release = flags['filebeat-release'];
  return release === undefined ? {} : { release: newestOfLine(release) };
}

/** Without files, under whatever release: the remembered prediction. */
function predictionOf({ subject, predict }: ExplainSubject, flags: Flags): [ExplainSubject['subject'], Prediction] {
  return [subject, predict(baseOptions(flags)) ?? predict({})!];
}

async function against(all: readonly Explanation[], near: readonly Neighbourhood[]): Promise<Explanation[]> {
  const { againstHost } = await import('../explain/collisions.js');
  return all.map((each, at) => againstHost(each, near[at]!));
}

async function compareAll(
  subjects: readonly ExplainSubject[],
  flags: Flags,
  release: string,
  host: ExplainHost | undefined,
  terminal: Terminal,
): Promise<Printed> {
  const { compare, compareCode } = await import('../explain/compare.js');
  const all = subjects.map((each): Comparison => {
    const [subject, before] = predictionOf(each, flags);
    return compare(subject, before, each.predict(optionsFor(release, before)), release);
  });
  const gaps: Gap[] = host?.gaps ?? [];
  const text = flags.json
    ? json((await import('../exporter/json/explain-json.js')).compareDocument(all, gaps, release, version))
    : (await import('../exporter/terminal/compare-text.js')).compareText(all, gaps, terminal);
  return { text, code: withHost(compareCode(all), host) };
}

/** The home has the filesets of the installed release only; those of another release come from the exporter's own table. */
function optionsFor(release: string, { release: installed, filesetFallback }: Prediction): PredictOptions {
  if (filesetFallback) return { release, filesetsFromTable: true };
  return { release, ...(installed.version === undefined ? {} : { installed: installed.version }) };
}
