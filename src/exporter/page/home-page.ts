/** `/`: the troubleshooting page. The verdict in one sentence, mismatches (worst first), the picture, then all tables. */
import { html } from 'hono/html';
import type { Report } from '../../model/model.js';
import { grouped, plural } from '../format.js';
import { type ExitCode, exitCode, summary } from '../terminal/summary.js';
import { type Counts, countAll } from '../view.js';
import { eventTable } from './event-table.js';
import { counterTable, gapTable, hostFacts, staticTable } from './host-facts.js';
import { journalSection } from './journal-section.js';
import { foreign, frame, type Html, type PageContext } from './layout.js';
import { mismatchList } from './mismatch-list.js';
import { picture } from './picture/picture.js';
import { portMap } from './picture/port-map.js';
import { address, type HomeQuery, parseQuery, queryPairs } from './query.js';
import { instanceTable, portTable } from './tables.js';

const tones: Record<ExitCode, string> = { 0: 'ok', 1: 'warning', 2: 'critical', 3: 'unknown' };

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function severities(counts: Counts): string {
  const { critical, warning, info } = counts.severities;
  const parts = [
    ...(critical > 0 ? [`${critical} critical`] : []),
    ...(warning > 0 ? [plural(warning, 'warning')] : []),
    ...(info > 0 ? [`${info} for information`] : []),
  ];
  if (parts.length > 0) return `${capital(parts.join(', '))}.`;
  return counts.ports > 0 && counts.portsUp === counts.ports ? 'Every expected port is served by its Filebeat.' : '';
}

function verdict(report: Report, counts: Counts): Html {
  const code = exitCode(report, counts);
  const detail = counts.instances + counts.ports === 0 ? '' : severities(counts);
  return html`<div id="verdict" data-live class="verdict ${tones[code]}" role="status">
<h1>${capital(summary(report, counts))}</h1>
<p>${code === 0 || counts.severities.critical + counts.severities.warning > 0 ? detail : ''} ${
    counts.gaps === 0 ? '' : html`<a href="#gaps">${plural(counts.gaps, 'thing')} could not be seen.</a>`
  }</p>
</div>`;
}

function filterForm(query: HomeQuery): Html {
  const others = queryPairs(query).filter(([name]) => name !== 'q' && name !== 'ipage' && name !== 'ppage');
  return html`<form id="filter" method="get" action="/" role="search" class="tools">
<label for="q">Filter instances and ports</label>
<input id="q" name="q" type="search" value="${query.filter}" placeholder="name, port, status, process" maxlength="200">
${others.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<noscript><button>Filter</button></noscript>
</form>`;
}

function showLinks(query: HomeQuery): Html {
  const link = (label: string, trouble: boolean) =>
    html`<a data-stay href="${address(query, { trouble, instancePage: 1, portPage: 1 }, 'instances')}" ${
      query.trouble === trouble ? html`aria-current="true"` : ''
    }>${label}</a>`;
  return html`<div class="tools" id="show" data-live><span class="soft">Show</span> ${link('everything', false)} ${link('only trouble', true)}</div>`;
}

export { pagePolicy } from './layout.js';

/** For the browser's tab. A tick only if `check` would exit with OK and anything was seen. */
function mark(report: Report, counts: Counts): string {
  const { critical, warning } = counts.severities;
  if (critical > 0) return `✕ ${critical} critical`;
  const isEmpty = counts.instances + counts.ports === 0;
  if (exitCode(report, counts) === 3 || (isEmpty && counts.gaps > 0)) return '? unknown';
  return warning > 0 ? `! ${plural(warning, 'warning')}` : '✓';
}

/** The whole document. `params`: filter, order and page from the URL. */
export function homePage(report: Report, params: URLSearchParams, context: PageContext): string {
  const query = parseQuery(params);
  const counts = countAll(report);
  const { mismatches } = report.verdict;
  const map = portMap(report);
  const drawing = map === undefined ? picture(report) : undefined;
  const events = eventTable(report);
  const body = html`${verdict(report, counts)}
<ul class="toc" aria-label="On this page">${map === undefined ? '' : html`<li><a href="#map">All ports</a></li>`}${mismatches.length === 0 ? '' : html`<li><a href="#mismatches">Mismatches</a></li>`}${events === '' ? '' : html`<li><a href="#events">Events</a></li>`}${
    drawing === undefined ? '' : html`<li><a href="#picture">Picture</a></li>`
  }<li><a href="#instances">Instances</a></li><li><a href="#ports">Ports</a></li>${report.journal === undefined ? '' : html`<li><a href="#journal">Journal</a></li>`}<li><a href="#gaps">Not seen</a></li><li><a href="#host">Host</a></li></ul>
<section id="map" data-live>${map ?? ''}</section>
<section id="mismatches" data-live>${
    mismatches.length === 0
      ? ''
      : html`<h2>Mismatches <small>${grouped(mismatches.length)}, worst first</small></h2>
${mismatchList(mismatches, report)}`
  }</section>
<section id="events" data-live>${events}</section>
<section id="picture" data-live>${drawing === undefined ? '' : html`<h2>Picture</h2>${drawing}`}</section>
<div class="tools above">${filterForm(query)}
${showLinks(query)}</div>
<section id="instances" data-live>${instanceTable(report, query)}</section>
<section id="ports" data-live>${portTable(report, query)}</section>
<section id="statics" data-live>${staticTable(report)}</section>
<section id="journal" data-live>${journalSection(report)}</section>
<section id="gaps" data-live>${gapTable(report.snapshot.gaps)}</section>
<section id="counters" data-live>${counterTable(report)}</section>
<section id="host" data-live>${hostFacts(report, context)}</section>`;
  return frame({
    title: `${mark(report, counts)} · ${foreign(report.snapshot.host.hostname, 60)} · Filebeat ports`,
    report,
    context,
    body,
    home: true,
  });
}
