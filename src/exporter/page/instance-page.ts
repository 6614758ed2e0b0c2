/** `/instances/:name`: one instance in full: mismatches, every listener and its socket, files, and why it is expected. */
import { html } from 'hono/html';
import { sureStart } from '../../model/instance-rules.js';
import type { ConfigFile, Instance, InstanceOrigin, Report } from '../../model/model.js';
import { expectedBecause } from '../../words/expected-because.js';
import { flowText, openSource } from '../../words/flow.js';
import { identityText } from '../../words/identity-text.js';
import { bytes, duration, grouped, plural, timestamp } from '../format.js';
import { type InstanceView, instanceState, instanceViews, namespaceText } from '../view.js';
import { type Fact, factList, gapTable } from './host-facts.js';
import { journalSection } from './journal-section.js';
import { foreign, frame, type Html, type PageContext } from './layout.js';
import { listenerTable } from './listener-table.js';
import { mismatchList } from './mismatch-list.js';
import { picture } from './picture/picture.js';
import { portMap } from './picture/port-map.js';
import { instanceSpark, reach } from './spark.js';

const origins: Record<InstanceOrigin, string> = { ...expectedBecause, process: 'its process runs' };

const roles: Record<ConfigFile['role'], string> = {
  main: 'main file',
  inputs: 'inputs',
  modules: 'modules',
  manifest: 'module manifest',
  keystore: 'keystore',
  unit: 'unit file',
};

/** A generated configuration can consist of thousands of files. */
const maxRows = 500;

function headline(view: InstanceView, now: number): string {
  const { instance, verdict } = view;
  const started = sureStart(instance.process);
  const up = verdict.ports.filter((port) => port.up).length;
  const ports = `${up} of ${plural(verdict.ports.length, 'port')} served`;
  if (verdict.up === undefined) return 'Whether it runs is not known';
  if (verdict.up)
    return `Up${started === undefined ? '' : ` for ${duration(now - started)}`} as pid ${instance.process?.pid ?? '?'}, ${ports}`;
  const seen = instance.lastSeen === undefined ? 'never seen' : `last seen ${duration(now - instance.lastSeen)} ago`;
  return `Not running, ${seen}`;
}

function fileTable({ process, prediction }: Instance): Html | '' {
  if (prediction.files.length === 0) return '';
  const started = sureStart(process);
  return html`<h2>Files <small>that determine its listeners</small></h2>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Files"><table><thead><tr><th scope="col">File</th><th scope="col">Role</th><th scope="col">Modified</th><th scope="col">Takes effect</th></tr></thead><tbody>
${prediction.files.slice(0, maxRows).map((file) => {
  const late = started !== undefined && file.mtime !== undefined && file.mtime > started + 0.05 && !file.reloaded;
  return html`<tr><td class="mono">${foreign(file.path)}</td><td class="tight">${roles[file.role]}</td><td class="tight">${file.mtime === undefined ? 'not known' : timestamp(file.mtime)}${late ? html` <span class="state odd">after its start</span>` : ''}</td><td class="tight">${file.reloaded ? 'by itself' : 'at the next start'}</td></tr>
`;
})}</tbody></table></div>`;
}

function facts(report: Report, view: InstanceView): Html {
  return html`<h2>Facts</h2><div class="facts">${factList(configurationFacts(report, view))}${factList(processFacts(report, view.instance))}</div>`;
}

function configurationFacts(report: Report, { instance, verdict }: InstanceView): Fact[] {
  const { prediction, account } = instance;
  const accepted = { true: 'yes', false: 'no: it would refuse to start', undefined: 'could not be read' };
  return [
    ['Expected because', instance.origins.map((origin) => origins[origin]).join('; ')],
    ['Unit', instance.unit],
    ['This process because', instance.identity && identityText(instance.identity)],
    ['Ordinary user', account === undefined ? undefined : `uid ${account}`],
    ['Container', instance.container],
    ['Configuration', instance.config],
    ['Accepted by Filebeat', accepted[`${verdict.configValid}`]],
    [
      'Restart pending',
      verdict.pendingRestart ? 'yes: its listeners on disk differ from those it started with' : undefined,
    ],
    ['Release', prediction.release.version ?? 'not known; the rules of the newest release apply'],
    ['Event flow', selfReportText(instance, report.snapshot.takenAt)],
    ['Data path', prediction.paths.data],
    ['Home', prediction.paths.home],
  ];
}

function processFacts(report: Report, instance: Instance): Fact[] {
  const { process, lastSeen, lastEnd } = instance;
  const { takenAt } = report.snapshot;
  const started = sureStart(process);
  const ends = { clean: 'clean stop', crash: 'crashed or killed (its lock file is left)' };
  return [
    ['Started', started === undefined ? undefined : timestamp(started)],
    [
      'Last seen',
      process !== undefined || lastSeen === undefined
        ? undefined
        : `${timestamp(lastSeen)}, ${duration(takenAt - lastSeen)} ago`,
    ],
    ['Last end', lastEnd && ends[lastEnd]],
    ['Restarts seen', grouped(instance.restarts)],
    [`Last ${reach(report.history, takenAt)}`, instanceSpark(report.history, instance.id, takenAt)],
    [
      'Executable',
      process?.executable && `${process.executable}${process.executableDeleted ? ' (replaced since its start)' : ''}`,
    ],
    ['Working directory', process?.cwd],
    ['User id', process && String(process.uid)],
    ['Network namespace', namespaceText(report, instance)],
    ['CPU time', process?.cpuSeconds === undefined ? undefined : duration(process.cpuSeconds)],
    ['Memory', process?.residentBytes === undefined ? undefined : bytes(process.residentBytes)],
    [
      'Descriptors',
      process?.openFds === undefined
        ? undefined
        : `${grouped(process.openFds)}${process.maxFds === undefined ? '' : ` of ${grouped(process.maxFds)}`}`,
    ],
  ];
}

/** What it reports about its event flow, or what to enable so that it does. */
function selfReportText(instance: Instance, now: number): string | undefined {
  const { selfReport, process, prediction } = instance;
  if (process === undefined) return undefined;
  if (selfReport === undefined) return `not known: ${openSource(prediction.release.version)}`;
  const from = selfReport.source === 'log' ? 'its log' : 'its stats endpoint';
  if (!selfReport.success) return `${from} could not be read`;
  const flow = flowText(selfReport);
  if (selfReport.at === undefined) return `no figures in ${from} yet`;
  if (flow === undefined) return `the last figures in ${from} are ${duration(now - selfReport.at)} old`;
  return `${flow}; from ${from}, ${duration(now - selfReport.at)} ago`;
}

export { pagePolicy } from './layout.js';

/** The whole document; undefined if there is no instance of that name. */
export function instancePage(report: Report, name: string, context: PageContext): string | undefined {
  const view = instanceViews(report).find(({ instance }) => instance.name === name);
  if (view === undefined) return undefined;
  const { instance } = view;
  const { tone, word } = instanceState(view);
  const mismatches = report.verdict.mismatches.filter((m) => m.name === name);
  const gaps = report.snapshot.gaps.filter((gap) => gap.instance === instance.id);
  const map = portMap(report, name);
  const drawing = map === undefined ? picture(report, name) : undefined;
  const shade = tone === 'bad' ? 'critical' : tone === 'odd' ? 'unknown' : 'ok';
  const body = html`<div id="verdict" data-live class="verdict ${shade}" role="status"><h1><bdi>${foreign(name, 120)}</bdi></h1>
<p>${headline(view, report.snapshot.takenAt)}</p></div>
<section id="mismatches" data-live>${mismatches.length === 0 ? '' : html`<h2>Mismatches</h2>${mismatchList(mismatches, report)}`}</section>
<section id="picture" data-live>${map ?? ''}${drawing === undefined ? '' : html`<h2>Picture</h2>${drawing}`}</section>
<section id="listeners" data-live>${listenerTable(report, view)}</section>
<section id="files" data-live>${fileTable(instance)}</section>
<section id="journal" data-live>${journalSection(report, name)}</section>
<section id="facts" data-live>${facts(report, view)}</section>
<section id="gaps" data-live>${gaps.length === 0 ? '' : gapTable(gaps)}</section>`;
  return frame({ title: `${foreign(name, 60)} ${word} · Filebeat ports`, report, context, body });
}
