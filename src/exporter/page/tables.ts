/** Tables of instances and ports: filtered, ordered and paged by the URL, so that they work without scripts. */
import { html } from 'hono/html';
import { endpointKey } from '../../model/endpoint.js';
import { sureStart } from '../../model/instance-rules.js';
import type { PortStatus, PortVerdict, Report } from '../../model/model.js';
import { endpointText, positionText } from '../../words/words.js';
import { bytes, duration, grouped, plural } from '../format.js';
import { type InstanceView, instanceState, instanceViews, ownerOf, ownSocket, portTone } from '../view.js';
import { foreign, type Html, instancePath } from './layout.js';
import { address, type HomeQuery, type InstanceSort, type Order, type PortSort } from './query.js';
import { portSpark, reach } from './spark.js';

interface PortView extends InstanceView {
  port: PortVerdict;
}

/** Rows of one page. */
const pageSize = 100;

export function statusHtml(status: PortStatus): Html {
  return html`<span class="state ${portTone(status)}">${status.replace('_', ' ')}</span>`;
}

const upCount = ({ verdict }: InstanceView): number => verdict.ports.filter((port) => port.up).length;

const toneRank = { bad: 0, odd: 1, ok: 2 };
const portRank = ({ port }: PortView): number => toneRank[portTone(port.status)];

const names = new Intl.Collator('en', { numeric: true });

const instanceKeys: Record<InstanceSort, (a: InstanceView, b: InstanceView) => number> = {
  state: (a, b) => toneRank[instanceState(a).tone] - toneRank[instanceState(b).tone],
  name: (a, b) => names.compare(a.instance.name, b.instance.name),
  pid: (a, b) => (a.instance.process?.pid ?? 0) - (b.instance.process?.pid ?? 0),
  ports: (a, b) => upCount(a) - upCount(b),
  version: (a, b) =>
    names.compare(a.instance.prediction.release.version ?? '', b.instance.prediction.release.version ?? ''),
  started: (a, b) => (a.instance.process?.startTime ?? 0) - (b.instance.process?.startTime ?? 0),
  restarts: (a, b) => a.instance.restarts - b.instance.restarts,
};

const plainly = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const portKeys: Record<PortSort, (a: PortView, b: PortView) => number> = {
  state: (a, b) => portRank(a) - portRank(b),
  // Ports are grouped by instance, so this check saves most comparisons.
  instance: (a, b) => (a.instance === b.instance ? 0 : names.compare(a.instance.name, b.instance.name)),
  port: (a, b) => (a.port.port ?? -1) - (b.port.port ?? -1),
  input: (a, b) => plainly(a.port.input, b.port.input),
  owner: (a, b) => plainly(ownerOf(a.port)?.comm ?? '', ownerOf(b.port)?.comm ?? ''),
  queue: (a, b) => (ownSocket(a.port)?.receiveQueue ?? -1) - (ownSocket(b.port)?.receiveQueue ?? -1),
  drops: (a, b) => (a.port.dropsTotal ?? -1) - (b.port.dropsTotal ?? -1),
};

function ordered<T, S extends string>(
  rows: readonly T[],
  keys: Record<S, (a: T, b: T) => number>,
  order: Order<S>,
): T[] {
  const compare = keys[order.by];
  return [...rows].sort(order.descending ? (a, b) => compare(b, a) : compare);
}

const has = (filter: string, ...texts: (string | number | undefined)[]): boolean =>
  texts.some((text) => text !== undefined && String(text).toLowerCase().includes(filter));

function wantedInstances(views: readonly InstanceView[], { filter, trouble }: HomeQuery): InstanceView[] {
  return views.filter(({ instance, verdict }) => {
    const { name, config, unit, container, process, prediction } = instance;
    if (trouble && instanceState({ instance, verdict }).tone === 'ok') return false;
    return filter === '' || has(filter, name, config, unit, container, process?.pid, prediction.release.version);
  });
}

function wantedPorts(views: readonly InstanceView[], { filter, trouble }: HomeQuery): PortView[] {
  const all = views.flatMap((view) => view.verdict.ports.map((port) => ({ ...view, port })));
  if (filter === '' && !trouble) return all;
  return all.filter(({ instance, port }) => {
    if (trouble && port.status === 'listening') return false;
    if (filter === '') return true;
    const owner = ownerOf(port);
    const endpoint = `${port.protocol} ${endpointText(port.address, port.port)}`;
    return has(
      filter,
      instance.name,
      endpoint,
      port.status,
      port.input,
      owner?.comm,
      owner?.pid,
      positionText(port.listeners[0]?.declaredIn),
    );
  });
}

/** The heading of a sortable column; a second click reverses the order. */
function sortHead<S extends string>(
  label: string,
  by: S,
  order: Order<S>,
  url: (order: Order<S>) => string,
  numeric = false,
): Html {
  const current = order.by === by;
  const next = { by, descending: current ? !order.descending : false };
  const mark = current ? (order.descending ? ' ▾' : ' ▴') : '';
  return html`<th scope="col" class="${numeric ? 'num' : 'tight'}" ${current ? html`aria-sort="${order.descending ? 'descending' : 'ascending'}"` : ''}><a data-stay href="${url(next)}">${label}${mark}</a></th>`;
}

function pager(total: number, page: number, url: (page: number) => string, what: string): Html | '' {
  const pages = Math.ceil(total / pageSize);
  if (pages <= 1) return '';
  return html`<nav class="pager" aria-label="Pages of ${what}">
${page > 1 ? html`<a data-stay href="${url(page - 1)}">Previous</a>` : ''}
<span class="soft">${grouped((page - 1) * pageSize + 1)}–${grouped(Math.min(total, page * pageSize))} of ${grouped(total)}</span>
${page < pages ? html`<a data-stay href="${url(page + 1)}">Next</a>` : ''}
</nav>`;
}

function cutPage<T>(rows: readonly T[], wanted: number): { rows: T[]; page: number } {
  const page = Math.min(wanted, Math.max(1, Math.ceil(rows.length / pageSize)));
  return { rows: rows.slice((page - 1) * pageSize, page * pageSize), page };
}

function countText(shown: number, all: number, one: string): string {
  return shown === all ? grouped(all) : `${grouped(shown)} of ${plural(all, one)}`;
}

function instanceRow(view: InstanceView, now: number): Html {
  const { instance, verdict } = view;
  const { word, tone } = instanceState(view);
  const up = upCount(view);
  const { process } = instance;
  const started = sureStart(process);
  return html`<tr><td><a href="${instancePath(instance.name)}"><bdi>${foreign(instance.name, 60)}</bdi></a></td><td class="tight"><span class="state ${tone}">${word}</span></td><td class="num">${process?.pid ?? ''}</td><td class="num ${up < verdict.ports.length ? 'badnum' : ''}">${up}/${verdict.ports.length}</td><td class="tight">${foreign(instance.prediction.release.version ?? '', 20)}</td><td class="num">${started === undefined ? '' : duration(now - started)}</td><td class="num">${instance.restarts}</td><td class="mono cut">${foreign(instance.config)}</td></tr>
`;
}

export function instanceTable(report: Report, query: HomeQuery): Html {
  const views = instanceViews(report);
  const all = ordered(wantedInstances(views, query), instanceKeys, query.instances);
  const { rows, page } = cutPage(all, query.instancePage);
  const url = (instances: Order<InstanceSort>) => address(query, { instances, instancePage: 1 }, 'instances');
  const head = (label: string, by: InstanceSort, numeric = false) => sortHead(label, by, query.instances, url, numeric);
  return html`<h2>Instances <small>${countText(all.length, views.length, 'instance')}</small></h2>
${
  rows.length === 0
    ? html`<p class="soft">${views.length === 0 ? 'No Filebeat runs here, and none is expected.' : 'None matches the filter.'}</p>`
    : html`<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Instances"><table>
<thead><tr>${head('Name', 'name')}${head('State', 'state')}${head('PID', 'pid', true)}${head('Ports', 'ports', true)}${head('Release', 'version')}${head('Up for', 'started', true)}${head('Restarts', 'restarts', true)}<th scope="col">Configuration</th></tr></thead>
<tbody>
${rows.map((view) => instanceRow(view, report.snapshot.takenAt))}</tbody></table></div>`
}
${pager(all.length, page, (instancePage) => address(query, { instancePage }, 'instances'), 'instances')}`;
}

/** Time since the last datagram; empty if Filebeat does not count them for this listener. */
function arrivalText({ instance, port }: PortView, now: number): string {
  const report = instance.selfReport?.listeners[endpointKey(port)];
  if (report?.received === undefined) return '';
  return report.lastArrival === undefined ? 'none yet' : `${duration(now - report.lastArrival)} ago`;
}

const isSilent = ({ instance, port }: PortView): boolean =>
  instance.selfReport?.listeners[endpointKey(port)]?.silent?.never === false;

function portRow(view: PortView, arrival: Html | '', spark: Html | ''): Html {
  const { instance, port } = view;
  const owner = ownerOf(port);
  const socket = ownSocket(port);
  return html`<tr><td><a href="${instancePath(instance.name)}"><bdi>${foreign(instance.name, 60)}</bdi></a></td><td class="mono tight">${port.protocol} ${foreign(endpointText(port.address, port.port), 44)}</td><td class="tight">${statusHtml(port.status)}</td><td class="tight">${foreign(port.input, 40)}</td><td class="tight">${owner === undefined ? '' : html`<bdi>${foreign(owner.comm, 20)}</bdi> <span class="soft">${owner.pid}</span>`}</td><td class="num">${socket === undefined || port.protocol === 'tcp' ? '' : bytes(socket.receiveQueue)}</td><td class="num ${(port.dropsTotal ?? 0) > 0 ? 'badnum' : ''}">${port.dropsTotal === undefined ? '' : grouped(port.dropsTotal)}</td>${arrival}${spark}<td class="mono cut">${foreign(positionText(port.listeners[0]?.declaredIn))}</td></tr>
`;
}

export function portTable(report: Report, query: HomeQuery): Html {
  const views = instanceViews(report);
  const count = views.reduce((sum, { verdict }) => sum + verdict.ports.length, 0);
  const all = ordered(wantedPorts(views, query), portKeys, query.ports);
  const { rows, page } = cutPage(all, query.portPage);
  const url = (ports: Order<PortSort>) => address(query, { ports, portPage: 1 }, 'ports');
  const head = (label: string, by: PortSort, numeric = false) => sortHead(label, by, query.ports, url, numeric);
  const { history, snapshot } = report;
  const { takenAt } = snapshot;
  const drawn = history !== undefined && history.times.length > 1;
  // The column is shown only if a Filebeat counts what arrives.
  const counted = views.some(({ instance }) => Object.keys(instance.selfReport?.listeners ?? {}).length > 0);
  const arrival = (view: PortView) =>
    counted ? html`<td class="num ${isSilent(view) ? 'badnum' : ''}">${arrivalText(view, takenAt)}</td>` : '';
  return html`<h2>Ports <small>${countText(all.length, count, 'port')}</small></h2>
${
  rows.length === 0
    ? html`<p class="soft">${count === 0 ? 'No port is expected.' : 'None matches the filter.'}</p>`
    : html`<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Ports"><table>
<thead><tr>${head('Instance', 'instance')}${head('Endpoint', 'port')}${head('Status', 'state')}${head('Input', 'input')}${head('Held by', 'owner')}${head('Queue', 'queue', true)}${head('Drops', 'drops', true)}${counted ? html`<th scope="col" class="num">Last arrival</th>` : ''}${drawn ? html`<th scope="col" class="tight">Last ${reach(history, takenAt)}</th>` : ''}<th scope="col">Declared in</th></tr></thead>
<tbody>
${rows.map((view) => portRow(view, arrival(view), drawn ? html`<td class="tight">${portSpark(history, view.instance.id, endpointKey(view.port), takenAt)}</td>` : ''))}</tbody></table></div>`
}
${pager(all.length, page, (portPage) => address(query, { portPage }, 'ports'), 'ports')}`;
}
