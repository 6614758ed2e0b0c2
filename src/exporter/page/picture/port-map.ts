/**
 * The map of all ports, for hosts with too many ports for the diagram: one cell for each port, coloured by its status and
 * linked to its row on the page of the instance. Worst instances first.
 */
import { html } from 'hono/html';
import type { PortStatus, PortVerdict, Report, StaticPortVerdict } from '../../../model/model.js';
import { endpointText } from '../../../words/words.js';
import { grouped, plural } from '../../format.js';
import { type InstanceView, instanceState, instanceViews, portTone } from '../../view.js';
import { foreign, type Html, instancePath, portAnchor } from '../layout.js';

/** A report with more ports gets the map instead of the diagram. */
const diagramPorts = 60;
/** Up to so many instances are named in the map; with more, only those in trouble. The tooltip names the others. */
const namedInstances = 60;
/** With more ports, cells are small. */
const largeCells = 1500;
/** A longer path is not repeated in every cell of its instance. Characters. */
const maxPath = 300;

type Shade = 'ok' | 'odd' | 'bad' | 'gone';

function shadeOf(status: PortStatus): Shade {
  return status === 'instance_down' ? 'gone' : portTone(status);
}

const statusText = (status: PortStatus): string => status.replaceAll('_', ' ');

const toneRank = { bad: 0, odd: 1, ok: 2 };

/** `tabStop`: reachable with the tab key; the other cells are reached with the arrow keys. */
function cellOf(port: PortVerdict, path: string, name: string, tabStop: boolean): Html {
  const { protocol, address, port: number, status } = port;
  const endpoint = `${protocol} ${foreign(endpointText(address, number), 44)}`;
  return html`<a class="${shadeOf(status)}" href="${path}#${encodeURIComponent(portAnchor(port))}" title="${name}${endpoint} ${statusText(status)}"${tabStop ? '' : html` tabindex="-1"`}></a>`;
}

function groupOf(view: InstanceView, named: boolean): Html {
  const { instance, verdict } = view;
  const name = foreign(instance.name, 40);
  const { word, tone } = instanceState(view);
  const path = instancePath(instance.name);
  const short = path.length > maxPath ? '' : path;
  const cells = verdict.ports.map((port, i) => cellOf(port, short, `${name} `, !named && i === 0));
  if (!named)
    return html`<li><div class="row">${cells}</div></li>
`;
  const up = verdict.ports.filter((port) => port.up).length;
  const count = verdict.ports.length === 0 ? 'no port' : `${up}/${verdict.ports.length}`;
  return html`<li class="named"><a href="${path}"><bdi>${foreign(instance.name, 24)}</bdi></a> <span class="${tone === 'ok' ? 'soft' : `state ${tone}`}">${tone === 'ok' ? '' : `${word} `}${count}</span><div class="row">${cells}</div></li>
`;
}

function staticGroup(statics: readonly StaticPortVerdict[]): Html {
  const cells = statics.map((port) => {
    const text = `${port.protocol} ${foreign(endpointText(port.address ?? '*', port.port), 44)}`;
    return html`<a class="${port.up ? 'ok' : 'bad'}" href="#statics" title="${text} ${port.up ? 'bound' : 'not bound'}" tabindex="-1"></a>`;
  });
  return html`<li class="named"><a href="#statics">Plain ports</a> <span class="soft">${statics.filter((port) => port.up).length}/${statics.length}</span><div class="row">${cells}</div></li>
`;
}

/** Each status with its colour and count. */
function legend(ports: readonly PortVerdict[], linked: boolean): Html {
  const counts = new Map<PortStatus, number>();
  for (const { status } of ports) counts.set(status, (counts.get(status) ?? 0) + 1);
  const order: Shade[] = ['gone', 'bad', 'odd', 'ok'];
  const rows = [...counts].sort(([a], [b]) => order.indexOf(shadeOf(a)) - order.indexOf(shadeOf(b)));
  return html`<ul class="legend">${rows.map(([status, count]) => {
    const text = `${grouped(count)} ${statusText(status)}`;
    return html`<li><i class="${shadeOf(status)}"></i>${linked ? html`<a href="/?q=${status}#ports">${text}</a>` : text}</li>`;
  })}</ul>`;
}

/** Undefined if the diagram has room for all ports. `only`: the name of one instance. */
export function portMap(report: Report, only?: string): Html | undefined {
  const views = instanceViews(report).filter(({ instance }) => only === undefined || instance.name === only);
  const statics = only === undefined ? report.verdict.statics : [];
  const ports = views.flatMap(({ verdict }) => verdict.ports);
  const cells = ports.length + statics.length;
  if (cells <= diagramPorts) return undefined;
  const worstFirst = views
    .map((view) => ({ view, rank: toneRank[instanceState(view).tone] }))
    .sort((a, b) => a.rank - b.rank);
  const isNamed = ({ rank }: { rank: number }, at: number) =>
    only === undefined && at < namedInstances && (views.length <= namedInstances || rank < toneRank.ok);
  const downStatics = statics.some((port) => !port.up);
  const plain = statics.length === 0 ? '' : staticGroup(statics);
  return html`<h2>All ports <small>${plural(cells, 'port')}, one linked cell each; the tables below have the same information</small></h2>
${legend(ports, only === undefined)}
<div class="map ${cells > largeCells ? 'small' : ''}" data-scroll tabindex="0" role="group" aria-label="Map of all ports"><ul class="cells">
${downStatics ? plain : ''}${worstFirst.map((one, i) => groupOf(one.view, isNamed(one, i)))}${downStatics ? '' : plain}</ul></div>`;
}
