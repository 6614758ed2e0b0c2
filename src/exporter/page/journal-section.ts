/** The journal: what changed and when, newest first. Failures stay in it longer than successes. */
import { html } from 'hono/html';
import type { Entry, Report } from '../../model/model.js';
import { entriesOf, isFailure } from '../../report/journal.js';
import { entryText, entryTitles } from '../../words/entry.js';
import { duration, plural, timestamp } from '../format.js';
import { foreign, type Html, instancePath } from './layout.js';

/** Further entries are folded. */
const unfolded = 12;

function row(entry: Entry, now: number, named: boolean): Html {
  const { at, name, kind } = entry;
  const who =
    !named || name === undefined
      ? html`<span class="soft">${named ? 'plain port' : ''}</span>`
      : html`<a href="${instancePath(name)}"><bdi>${foreign(name, 60)}</bdi></a>`;
  return html`<tr><td class="tight"><time datetime="${new Date(at * 1000).toISOString()}">${timestamp(at)}</time> <span class="soft">${duration(now - at)} ago</span></td>${named ? html`<td>${who}</td>` : ''}<td class="tight"><span class="state ${isFailure(entry) ? 'bad' : 'ok'}">${entryTitles[kind]}</span></td><td class="say">${foreign(entryText(entry), 300)}</td></tr>
`;
}

function entryTable(entries: readonly Entry[], now: number, named: boolean, label: string): Html {
  return html`<div class="scroll" data-scroll tabindex="0" role="group" aria-label="${label}"><table><thead><tr><th scope="col">When</th>${named ? html`<th scope="col">Instance</th>` : ''}<th scope="col">Event</th><th scope="col">Detail</th></tr></thead><tbody>
${entries.map((entry) => row(entry, now, named))}</tbody></table></div>`;
}

/** The journal of the host, or of one instance by name. Empty if the report has no journal. */
export function journalSection(report: Report, only?: string): Html | '' {
  const { journal, history, snapshot } = report;
  if (journal === undefined) return '';
  const now = snapshot.takenAt;
  const entries = entriesOf(journal).filter(({ name }) => only === undefined || name === only);
  const since = history?.times[0];
  if (entries.length === 0)
    return html`<h2>Journal</h2><p class="soft">Nothing has changed${since === undefined ? '' : ` in the ${duration(now - since)} on record`}.</p>`;
  const [shown, folded] = [entries.slice(0, unfolded), entries.slice(unfolded)];
  return html`<h2>Journal <small>${plural(entries.length, 'change')}, newest first</small></h2>
${entryTable(shown, now, only === undefined, 'Journal')}
${folded.length === 0 ? '' : html`<details class="more older" id="older"><summary>${plural(folded.length, 'older change')}</summary>${entryTable(folded, now, only === undefined, 'Older changes')}</details>`}`;
}
