/** `/instances/:name`: one instance in full: why it is expected, its files, every listener and its socket. */
import { html } from 'hono/html';
import { sureStart } from '../../model/age.js';
import type { ConfigFile, Instance, InstanceOrigin, Report } from '../../model/model.js';
import { flowText, openSource } from '../../words/flow.js';
import { identityText } from '../../words/identity-text.js';
import { bytes, duration, grouped, plural, timestamp } from '../format.js';
import { type InstanceView, instanceState, instanceViews, namespaceText } from '../view.js';
import { factList, gapTable } from './host-facts.js';
import { journalSection } from './journal-section.js';
import { foreign, frame, type Html, type PageContext } from './layout.js';
import { listenerTable } from './listener-table.js';
import { mismatchList } from './mismatch-list.js';
import { picture } from './picture/picture.js';
import { portMap } from './picture/port-map.js';
import { instanceSpark, reach } from './spark.js';

const origins: Record<InstanceOrigin, string> = {
  process: 'its process runs',
  systemd: 'an enabled systemd unit starts it',
  declared: 'the exporter’s settings declare it',
  config_glob: 'its configuration matches config_globs',
  remembered: 'it was seen before',
};

const roles: Record<ConfigFile['role'], string> = {
  main: 'main file',
  inputs: 'inputs',
  modules: 'modules',
  manifest: 'module manifest',
  keystore: 'keystore',
  unit: 'unit file',
};

/** Files of one instance are few; a generated configuration can still be made of thousands. */
const manyRows = 500;

function headline(view: InstanceView, now: number): string {
  const { instance, verdict } = view;
  const started = sureStart(instance.process);
  const up = verdict.ports.filter((port) => port.up).length;
  const ports = `${up} of ${plural(verdict.ports.length, 'port')} served`;
  if (verdict.up === undefined) return 'Whether it runs cannot be seen';
  if (verdict.up)
    return `Up${started === undefined ? '' : ` for ${duration(now - started)}`} as pid ${instance.process?.pid ?? '?'}, ${ports}`;
  const seen = instance.lastSeen === undefined ? 'never seen' : `last seen ${duration(now - instance.lastSeen)} ago`;
  return `Not running, ${seen}`;
}

function fileTable({ process, prediction }: Instance): Html | '' {
  if (prediction.files.length === 0) return '';
  const started = sureStart(process);
  return html`<h2>Files <small>that affect its listeners</small></h2>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Files"><table><thead><tr><th scope="col">File</th><th scope="col">Is</th><th scope="col">Modified</th><th scope="col">Takes effect</th></tr></thead><tbody>
${prediction.files.slice(0, manyRows).map((file) => {
  const late = started !== undefined && file.mtime !== undefined && file.mtime > started + 0.05 && !file.reloaded;
  return html`<tr><td class="mono">${foreign(file.path)}</td><td class="tight">${roles[file.role]}</td><td class="tight">${file.mtime === undefined ? 'not known' : timestamp(file.mtime)}${late ? html` <span class="state odd">after its start</span>` : ''}</td><td class="tight">${file.reloaded ? 'by itself' : 'at the next start'}</td></tr>
`;
})}</tbody></table></div>`;
}

function facts(report: Report, { instance, verdict }: InstanceView): Html {
  const { process, prediction } = instance;
  const { takenAt } = report.snapshot;
  const started = sureStart(process);
  const deleted = process?.executableDeleted ? ' (replaced since its start)' : '';
  return html`<h2>Facts</h2><div class="facts">${factList([
    ['Expected because', instance.origins.map((origin) => origins[origin]).join('; ')],
    ['Unit', instance.unit],
    ['This process because', instance.identity && identityText(instance.identity)],
    ['Ordinary user', instance.account === undefined ? undefined : `uid ${instance.account}`],
    ['Container', instance.container],
    ['Configuration', instance.config],
    [
      'Accepted by Filebeat',
      verdict.configValid === undefined
        ? 'could not be read'
        : verdict.configValid
          ? 'yes'
          : 'no: it would refuse to start',
    ],
    [
      'Restart pending',
      verdict.pendingRestart ? 'yes: its listeners on disk differ from those it started with' : undefined,
    ],
    [
      'Release',
      prediction.release.version === undefined ? 'not known; the newest rules apply' : prediction.release.version,
    ],
    ['Events, by its own word', selfReportText(instance, takenAt)],
    ['Data path', prediction.paths.data],
    ['Home', prediction.paths.home],
  ])}${factList([
    ['Started', started === undefined ? undefined : timestamp(started)],
    [
      'Last seen',
      process !== undefined || instance.lastSeen === undefined
        ? undefined
        : `${timestamp(instance.lastSeen)}, ${duration(takenAt - instance.lastSeen)} ago`,
    ],
    [
      'Last end',
      instance.lastEnd === undefined
        ? undefined
        : instance.lastEnd === 'clean'
          ? 'clean stop'
          : 'crashed or killed (its lock file is left)',
    ],
    ['Restarts seen', grouped(instance.restarts)],
    [`Last ${reach(report.history, takenAt)}`, instanceSpark(report.history, instance.id, takenAt) || undefined],
    ['Executable', process?.executable === undefined ? undefined : `${process.executable}${deleted}`],
    ['Working directory', process?.cwd],
    ['User id', process === undefined ? undefined : String(process.uid)],
    ['Network namespace', namespaceText(report, instance)],
    ['CPU time', process?.cpuSeconds === undefined ? undefined : duration(process.cpuSeconds)],
    ['Memory', process?.residentBytes === undefined ? undefined : bytes(process.residentBytes)],
    [
      'Descriptors',
      process?.openFds === undefined
        ? undefined
        : `${grouped(process.openFds)}${process.maxFds === undefined ? '' : ` of ${grouped(process.maxFds)}`}`,
    ],
  ])}</div>`;
}

/** What it says of its pipeline, or what would make it say something. */
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

/** The whole document; undefined when there is no instance of that name. */
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
