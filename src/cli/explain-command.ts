/**
 * `explain`: what one command line, one running process or every instance asks for; against the host
 * (`--against-host`), or under another release (`--compare-release`).
 */
import type { Neighbourhood } from '../explain/collisions.js';
import type { Comparison, Explanation } from '../explain/explained.js';
import { explainCode, explanation } from '../explain/explanation.js';
import type { PredictOptions } from '../filebeat/predict.js';
import { newestOfLine } from '../filebeat/releases/releases.js';
import { outcomesByRelease } from '../filebeat/unknown-release.js';
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
 * 0; 1 when one of them could not start or meets somebody on the host (comparing: when something changes); 3 when
 * something cannot be told. Throws `StartError` for flags that do not go together and for a pid that is no Filebeat.
 */
export async function explain(
  flags: Flags,
  argv: readonly string[] | undefined,
  log: Logger,
  terminal: Terminal,
): Promise<Printed> {
  refuse(flags, argv);
  const { processNames } = readSettings(flags['config.file']).discovery;
  const one =
    argv !== undefined
      ? await subjectOfCommand(argv, flags, processNames)
      : flags.pid !== undefined
        ? await subjectOfProcess(flags.pid, flags, processNames)
        : undefined;
  const looksAround = one === undefined || one.process !== undefined || flags['against-host'];
  // A command line alone needs nothing of what looks at a host, and loading it takes longer than all the rest.
  const host = looksAround ? await (await import('./explain-host.js')).scanForExplain(flags, log) : undefined;
  const asked = one === undefined ? (host?.asked ?? []) : [withIdentity(one, host)];
  const release = flags['compare-release'];
  if (release !== undefined) return compareAll(asked, flags, newestOfLine(release), host, terminal);
  const explained = asked.map((each) => ({
    asked: each,
    explanation:
      one === undefined
        ? explanation(...foretold(each, flags))
        : byRelease(each, explanation(...foretold(each, flags))),
  }));
  const all = explained.map((each) => each.explanation);
  const near = flags['against-host'] ? await host?.around(explained) : undefined;
  const told: Explanation[] = near === undefined ? all : await against(all, near);
  const gaps = one === undefined ? (host?.gaps ?? []) : [];
  const text = flags.json
    ? json((await import('../exporter/json/explain-json.js')).explainDocument(told, gaps, version))
    : (await import('../exporter/terminal/explain-text.js')).explainText(told, gaps, terminal);
  return { text, code: withHost(explainCode(told), one === undefined ? host : undefined) };
}

/** What each known release makes of the files, where nothing tells which one it is and they differ. For a whole host it would take too long. */
function byRelease(asked: ExplainSubject, one: Explanation): Explanation {
  const { source } = one.prediction.release;
  if (source !== 'assumed' && source !== 'hint') return one;
  const outcomes = outcomesByRelease((release) => asked.predict(release) ?? one.prediction);
  return outcomes.length < 2 ? one : { ...one, byRelease: outcomes };
}

function refuse(flags: Flags, argv: readonly string[] | undefined): void {
  if (argv === undefined && (flags.cwd !== undefined || flags.env.length > 0))
    throw new StartError('--cwd and --env belong to a command line after --');
  if (flags['against-host'] && flags['compare-release'] !== undefined)
    throw new StartError('--against-host and --compare-release exclude each other');
}

/** Of a process: which instance it is on this host, why, and what is made of its files there. */
function withIdentity(asked: ExplainSubject, host: ExplainHost | undefined): ExplainSubject {
  const found = asked.process === undefined ? undefined : host?.whoIs(asked.process);
  if (found === undefined) return asked;
  const { subject } = asked;
  // What `check` and the page go by: the release that it could run under, and what it has proved wrong.
  const judged = host?.asked.find(({ process }) => process?.pid === asked.process?.pid)?.predict({});
  return {
    ...asked,
    subject: { ...subject, remarks: [found.remark, ...subject.remarks] },
    predict: (options) => (judged !== undefined && Object.keys(options).length === 0 ? judged : asked.predict(options)),
  };
}

function json(document: object): string {
  return `${asciiControls(JSON.stringify(document, null, 2))}\n`;
}

/** Where the host could not be looked at at all, "no Filebeat" is no answer. */
function withHost(code: 0 | 1 | 3, host: ExplainHost | undefined): 0 | 1 | 3 {
  return code === 0 && host?.usable === false ? 3 : code;
}

function baseOptions(flags: Flags): PredictOptions {
  const release = flags['filebeat-release'];
  return release === undefined ? {} : { release: newestOfLine(release) };
}

/** What is known where there are no files to ask: what the memory has. */
function foretold(asked: ExplainSubject, flags: Flags): [ExplainSubject['subject'], Prediction] {
  return [asked.subject, asked.predict(baseOptions(flags)) ?? asked.predict({})!];
}

async function against(all: readonly Explanation[], near: readonly Neighbourhood[]): Promise<Explanation[]> {
  const { againstHost } = await import('../explain/collisions.js');
  return all.map((each, at) => againstHost(each, near[at]!));
}

async function compareAll(
  asked: readonly ExplainSubject[],
  flags: Flags,
  release: string,
  host: ExplainHost | undefined,
  terminal: Terminal,
): Promise<Printed> {
  const { compare, compareCode } = await import('../explain/compare.js');
  const all = asked.map((each): Comparison => {
    const [subject, before] = foretold(each, flags);
    return compare(subject, before, each.predict(optionsFor(release, before)), release);
  });
  const gaps: Gap[] = host?.gaps ?? [];
  const text = flags.json
    ? json((await import('../exporter/json/explain-json.js')).compareDocument(all, gaps, release, version))
    : (await import('../exporter/terminal/compare-text.js')).compareText(all, gaps, terminal);
  return { text, code: withHost(compareCode(all), host) };
}

/** The home holds the filesets of the installed release: what differs in another one comes from the exporter's own table. */
function optionsFor(release: string, { release: installed, filesetFallback }: Prediction): PredictOptions {
  if (filesetFallback) return { release, filesetsFromTable: true };
  return { release, ...(installed.version === undefined ? {} : { installed: installed.version }) };
}
