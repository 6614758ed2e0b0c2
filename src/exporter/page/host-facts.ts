/** The sections below the tables: plain ports, gaps, counters of the network namespaces, the host. */
import { html } from 'hono/html';
import type { Gap, Report } from '../../model/model.js';
import { endpointText } from '../../words/words.js';
import { bytes, duration, grouped, plural, timestamp } from '../format.js';
import { foreign, type Html, type PageContext } from './layout.js';

/** More gaps are only counted. */
const maxGaps = 50;

export function staticTable({ verdict }: Report): Html | '' {
  if (verdict.statics.length === 0) return '';
  const rows = [...verdict.statics].sort((a, b) => Number(a.up) - Number(b.up));
  return html`<h2>Plain ports <small>from the exporter’s settings</small></h2>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Plain ports"><table><thead><tr><th scope="col">Endpoint</th><th scope="col">Status</th><th scope="col">Expected process</th><th scope="col">Held by</th></tr></thead><tbody>
${rows.slice(0, 500).map(
  (
    port,
  ) => html`<tr><td class="mono tight">${port.protocol} ${foreign(endpointText(port.address ?? '*', port.port), 60)}</td><td class="tight"><span class="state ${port.up ? 'ok' : 'bad'}">${port.up ? 'bound' : 'not bound'}</span></td><td>${foreign(port.process ?? 'any process', 40)}</td><td>${port.owner === undefined ? '' : html`<bdi>${foreign(port.owner.comm, 20)}</bdi> <span class="soft">${port.owner.pid}</span>`}</td></tr>
`,
)}</tbody></table></div>`;
}

const reasons: Record<Gap['reason'], string> = {
  denied: 'permission denied',
  vanished: 'vanished during the scan',
  malformed: 'malformed',
  missing: 'missing',
  limit: 'limit exceeded',
  blocked: 'does not answer',
  unclear: 'unclear from the files',
  vantage: 'not the host’s view',
};

export function gapTable(gaps: readonly Gap[]): Html {
  if (gaps.length === 0) return html`<h2>Not seen</h2><p class="soft">Nothing was hidden from the exporter.</p>`;
  const left = gaps.length - maxGaps;
  return html`<h2>Not seen <small>${plural(gaps.length, 'gap')}; what could not be seen is never reported as down</small></h2>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Not seen"><table><thead><tr><th scope="col">Reason</th><th scope="col">Subject</th><th scope="col">Detail</th></tr></thead><tbody>
${gaps.slice(0, maxGaps).map(
  (
    gap,
  ) => html`<tr><td class="tight">${reasons[gap.reason]}</td><td class="mono">${foreign(gap.subject)}</td><td>${foreign(gap.detail ?? '')}</td></tr>
`,
)}</tbody></table></div>
${left > 0 ? html`<p class="soft">${plural(left, 'more gap')}; see <a href="/api/v1/status">JSON</a>.</p>` : ''}`;
}

export function counterTable({ snapshot }: Report): Html | '' {
  const known = snapshot.namespaces.flatMap(({ netns, host, counters }) =>
    counters === undefined ? [] : [{ name: host ? 'host' : String(netns), ...counters }],
  );
  if (known.length === 0) return '';
  return html`<h2>UDP in the kernel <small>since boot, both address families, all programs</small></h2>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="UDP counters"><table><thead><tr><th scope="col">Network namespace</th><th scope="col" class="num">Delivered</th><th scope="col" class="num">No such port</th><th scope="col" class="num">Errors</th><th scope="col" class="num">Buffer full</th></tr></thead><tbody>
${known.slice(0, 200).map(
  (
    n,
  ) => html`<tr><td>${n.name}</td><td class="num">${grouped(n.inDatagrams)}</td><td class="num">${grouped(n.noPorts)}</td><td class="num">${grouped(n.inErrors)}</td><td class="num">${grouped(n.receiveBufferErrors)}</td></tr>
`,
)}</tbody></table></div>`;
}

/** Label and value; a fact without a value is not shown. */
export type Fact = readonly [string, string | Html | undefined];

const knownFacts = (rows: readonly Fact[]): Fact[] => rows.filter(([, value]) => value !== undefined && value !== '');

export function factList(rows: readonly Fact[]): Html {
  return html`<dl>${knownFacts(rows).map(
    ([label, value]) => html`<dt>${label}</dt><dd>${typeof value === 'string' ? foreign(value, 300) : value}</dd>
`,
  )}</dl>`;
}

/** The known facts in two columns of equal length. */
export function hostFacts({ snapshot }: Report, context: PageContext): Html {
  const { host, takenAt } = snapshot;
  const known = knownFacts([
    ['Name', host.hostname],
    ...(context.hostFacts ?? []),
    [
      'Up for',
      host.bootTime === undefined
        ? undefined
        : `${duration(takenAt - host.bootTime)}, since ${timestamp(host.bootTime)}`,
    ],
    ['IPv6', host.ipv6 ? 'yes' : 'not in this kernel'],
    ['net.core.rmem_default', host.rmemDefault === undefined ? undefined : bytes(host.rmemDefault)],
    ['net.core.rmem_max', host.rmemMax === undefined ? undefined : bytes(host.rmemMax)],
  ]);
  const half = Math.ceil(known.length / 2);
  return html`<h2>Host</h2>
<div class="facts">${factList(known.slice(0, half))}${factList(known.slice(half))}</div>`;
}
