/** The listeners of one instance: where each was declared, what socket it becomes, who holds that, how full it is and was. */
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

/** Listeners of one instance are few; a generated configuration can still hold thousands. */
const manyRows = 500;

interface Row {
  listener: Listener;
  port: PortVerdict;
  /** Of its port: it bears the id that links lead to. */
  first: boolean;
}

function socketText(target: Target): string {
  switch (target.kind) {
    case 'socket':
      return `${target.family === 6 ? 'IPv6' : 'IPv4'} ${endpointText(target.address, target.port)}${target.serves === 'any' ? ', both families' : ''}`;
    case 'random':
      return 'a port that the system picks';
    case 'name':
      return 'an address that only a name look-up tells';
    case 'unresolved':
      return `cannot be known (${target.why})`;
    case 'invalid':
      return `no socket (${target.why})`;
  }
}

/** Queue, buffer, and for how many datagrams there is room: an estimate. */
function queueCell(port: PortVerdict): Html {
  const socket = ownSocket(port);
  if (socket === undefined || port.protocol === 'tcp') return html`<td class="num"></td>`;
  const { receiveBuffer } = port;
  if (receiveBuffer === undefined) return html`<td class="num">${bytes(socket.receiveQueue)}</td>`;
  const { datagrams } = estimateRoom(socket.receiveQueue, receiveBuffer);
  const fit = datagrams.map((d) => grouped(d.fit)).join(' / ');
  return html`<td class="num">${bytes(socket.receiveQueue)} of ${bytes(receiveBuffer)}<br><span class="soft">≈ ${fit} fit</span></td>`;
}

/** When something last came, as far as Filebeat's own counters tell. */
function arrivalHtml({ instance }: InstanceView, port: PortVerdict, now: number): Html | '' {
  const report = instance.selfReport?.listeners[endpointKey(port)];
  if (report === undefined) return '';
  const { lastArrival } = report;
  const text = lastArrival === undefined ? 'nothing has come yet' : `last datagram ${duration(now - lastArrival)} ago`;
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
  if (rows.length === 0) return html`<h2>Listeners</h2><p class="soft">It asks for none that could be worked out.</p>`;
  const left = rows.length - manyRows;
  return html`<h2>Listeners <small>${grouped(rows.length)}, what its configuration asks for</small></h2>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Listeners"><table><thead><tr><th scope="col">Endpoint</th><th scope="col">Status</th><th scope="col">Input</th><th scope="col">Declared in</th><th scope="col">Socket it becomes</th><th scope="col">Held by</th><th scope="col" class="num">Queue</th><th scope="col" class="num">Drops</th><th scope="col" class="tight">Last ${reach(report.history, report.snapshot.takenAt)}</th></tr></thead><tbody>
${rows.slice(0, manyRows).map((row) => listenerRow(report, view, row))}</tbody></table></div>
<p class="soft">≈ is an estimate of how many more datagrams of ${estimateRoom(0, 0)
    .datagrams.map((d) => d.payload)
    .join(
      ' / ',
    )} bytes fit; network cards charge differently. Buffers are derived from read_buffer and the kernel’s limits.</p>
${left > 0 ? html`<p class="soft">${plural(left, 'more listener')}: <a href="/api/v1/status">JSON</a> has them all.</p>` : ''}`;
}
