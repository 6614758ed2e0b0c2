/** The listeners of one instance: where each is declared, the socket it becomes, its owner, queue, drops and history. */
import { html } from 'hono/html';
import { estimateRoom } from '../../correlate/buffers.js';
import { endpointKey } from '../../model/endpoint.js';
import type { Listener, PortVerdict, Report, Target } from '../../model/model.js';
import { endpointText, positionText } from '../../words/words.js';
import { bytes, duration, grouped, plural } from '../format.js';
import { type InstanceView, ownSocket } from '../view.js';
import { foreign, type Html, portAnchor } from './layout.js';
import { portSpark, reach } from './spark.js';
import { statusHtml } from './tables.js';

/** A generated configuration can declare thousands of listeners. */
const maxRows = 500;

interface Row {
  listener: Listener;
  port: PortVerdict;
  /** The first row of its port has the id for links. */
  first: boolean;
}

function socketText(target: Target): string {
  switch (target.kind) {
    case 'socket':
      return `${target.family === 6 ? 'IPv6' : 'IPv4'} ${endpointText(target.address, target.port)}${target.serves === 'any' ? ', both families' : ''}`;
    case 'random':
      return 'a port that the kernel picks';
    case 'name':
      return 'an address that only a name server knows';
    case 'unresolved':
      return `not known (${target.why})`;
    case 'invalid':
      return `no socket (${target.why})`;
  }
}

/** Queue, buffer, and an estimate of how many more datagrams fit. */
function queueCell(port: PortVerdict): Html {
  const socket = ownSocket(port);
  if (socket === undefined || port.protocol === 'tcp') return html`<td class="num"></td>`;
  const { receiveBuffer } = port;
  if (receiveBuffer === undefined) return html`<td class="num">${bytes(socket.receiveQueue)}</td>`;
  const { datagrams } = estimateRoom(socket.receiveQueue, receiveBuffer);
  const fit = datagrams.map((d) => grouped(d.fit)).join(' / ');
  return html`<td class="num">${bytes(socket.receiveQueue)} of ${bytes(receiveBuffer)}<br><span class="soft">≈ ${fit} fit</span></td>`;
}

/** When the last datagram arrived, by Filebeat's own counters. */
function arrivalHtml({ instance }: InstanceView, port: PortVerdict, now: number): Html | '' {
  const report = instance.selfReport?.listeners[endpointKey(port)];
  if (report === undefined) return '';
  const { lastArrival } = report;
  const text = lastArrival === undefined ? 'no datagram yet' : `last datagram ${duration(now - lastArrival)} ago`;
  return html`<br><span class="soft">${text}</span>`;
}

function listenerRow(report: Report, view: InstanceView, { listener, port, first }: Row): Html {
  const { history, snapshot } = report;
  const owners = port.socket?.owners ?? [];
  const read = listener.reload === undefined ? 'at start only' : `every ${duration(listener.reload.periodSeconds)}`;
  const drops = port.dropsTotal;
  return html`<tr${first ? html` id="${portAnchor(port)}"` : ''}><td class="mono tight">${port.protocol} ${foreign(endpointText(port.address, port.port), 60)}</td>
<td class="tight">${statusHtml(port.status)}${arrivalHtml(view, port, snapshot.takenAt)}</td>
<td class="tight">${foreign(listener.input, 40)}</td>
<td class="cut"><span class="mono">${foreign(positionText(listener.declaredIn))}</span><br><span class="soft">read ${read}</span></td>
<td>${foreign(socketText(listener.target), 80)}</td>
<td>${owners.map((o) => html`<bdi>${foreign(o.comm, 20)}</bdi> <span class="soft">${o.pid}</span> `)}</td>
${queueCell(port)}
<td class="num ${(drops ?? 0) > 0 ? 'badnum' : ''}">${drops === undefined ? '' : grouped(drops)}</td>
<td class="tight">${portSpark(history, view.instance.id, endpointKey(port), snapshot.takenAt)}</td></tr>
`;
}

export function listenerTable(report: Report, view: InstanceView): Html {
  const rows = view.verdict.ports.flatMap((port) =>
    port.listeners.map((listener, i) => ({ listener, port, first: i === 0 })),
  );
  if (rows.length === 0)
    return html`<h2>Listeners</h2><p class="soft">Its configuration declares no listener that the exporter could determine.</p>`;
  const left = rows.length - maxRows;
  return html`<h2>Listeners <small>${grouped(rows.length)}, declared by its configuration</small></h2>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Listeners"><table><thead><tr><th scope="col">Endpoint</th><th scope="col">Status</th><th scope="col">Input</th><th scope="col">Declared in</th><th scope="col">Socket it becomes</th><th scope="col">Held by</th><th scope="col" class="num">Queue</th><th scope="col" class="num">Drops</th><th scope="col" class="tight">Last ${reach(report.history, report.snapshot.takenAt)}</th></tr></thead><tbody>
${rows.slice(0, maxRows).map((row) => listenerRow(report, view, row))}</tbody></table></div>
<p class="soft">≈ is an estimate of how many more datagrams of ${estimateRoom(0, 0)
    .datagrams.map((d) => d.payload)
    .join(
      ' / ',
    )} bytes fit; it depends on the network card. Buffer sizes are derived from read_buffer and the kernel’s limits.</p>
${left > 0 ? html`<p class="soft">${plural(left, 'more listener')}; see <a href="/api/v1/status">JSON</a>.</p>` : ''}`;
}
