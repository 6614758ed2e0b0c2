/** The event flow of each Filebeat by its own figures: in → queue → out. Those in trouble come first. */
import { html } from 'hono/html';
import type { Report, SelfReport } from '../../model/model.js';
import { flowState, rateText } from '../../words/flow.js';
import { duration, grouped, plural } from '../format.js';
import { type InstanceView, instanceViews } from '../view.js';
import { foreign, type Html, instancePath } from './layout.js';

const maxRows = 100;
/** Pixels. */
const meterWidth = 120;
const meterHeight = 8;

const tones = { bad: 0, odd: 1, ok: 2 } as const;

interface Row {
  view: InstanceView;
  report: SelfReport;
  state: ReturnType<typeof flowState>;
}

function rowsOf(report: Report): Row[] {
  return instanceViews(report)
    .flatMap((view): Row[] => {
      const { selfReport, process } = view.instance;
      if (selfReport === undefined || process === undefined) return [];
      return [{ view, report: selfReport, state: flowState(selfReport) }];
    })
    .sort((a, b) => tones[a.state.tone] - tones[b.state.tone]);
}

/** How full the queue is; if its size is unknown, only the number of waiting events. */
function queueCell({ active, queueMax, full }: SelfReport): Html {
  if (active === undefined) return html`<td class="tight"></td>`;
  if (queueMax === undefined) return html`<td class="tight">${plural(active, 'event')} waiting</td>`;
  const share = Math.min(1, active / queueMax);
  const text = `${grouped(active)} of ${grouped(queueMax)}`;
  return html`<td class="tight"><svg class="meter" viewBox="0 0 ${meterWidth} ${meterHeight}" width="${meterWidth}" height="${meterHeight}" role="img" aria-label="queue ${Math.round(share * 100)} percent full"><rect class="all" width="${meterWidth}" height="${meterHeight}"/><rect class="${full ? 'bad' : 'part'}" width="${(share * meterWidth).toFixed(1)}" height="${meterHeight}"/></svg> <span class="${full ? 'badnum' : ''}">${text}</span></td>`;
}

function row({ view: { instance }, report, state }: Row, now: number): Html {
  const { rates, outputType, at, source } = report;
  const from = source === 'log' ? 'log' : 'stats endpoint';
  const age = at === undefined ? '' : `, ${duration(now - at)} ago`;
  const blocked = state.tone === 'bad' && rates?.out === 0;
  return html`<tr><td><a href="${instancePath(instance.name)}"><bdi>${foreign(instance.name, 60)}</bdi></a></td><td class="num">${rates === undefined ? '' : rateText(rates.in)}</td><td class="tight soft">→</td>${queueCell(report)}<td class="tight soft">→</td><td class="num ${blocked ? 'badnum' : ''}">${rates === undefined ? '' : rateText(rates.out)}</td><td class="tight">${outputType ?? ''}</td><td class="tight"><span class="state ${state.tone}">${state.text}</span></td><td class="tight soft">${from}${age}</td></tr>
`;
}

/** Empty if no Filebeat reports figures. */
export function eventTable(report: Report): Html | '' {
  const rows = rowsOf(report);
  if (rows.length === 0) return '';
  const running = instanceViews(report).filter(({ instance }) => instance.process !== undefined).length;
  const silent = running - rows.length;
  const left = rows.length - maxRows;
  return html`<h2>Events <small>in, queue and out, as each Filebeat counts them</small></h2>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="Events"><table><thead><tr><th scope="col">Instance</th><th scope="col" class="num">In</th><th></th><th scope="col">Queue</th><th></th><th scope="col" class="num">Out</th><th scope="col">Output</th><th scope="col">State</th><th scope="col">Source</th></tr></thead><tbody>
${rows.slice(0, maxRows).map((one) => row(one, report.snapshot.takenAt))}</tbody></table></div>
${left > 0 ? html`<p class="soft">${plural(left, 'more instance')}; see <a href="/api/v1/status">JSON</a>.</p>` : ''}
${silent > 0 ? html`<p class="soft">${plural(silent, 'other running instance')} without figures; the page of each says what to enable.</p>` : ''}`;
}
