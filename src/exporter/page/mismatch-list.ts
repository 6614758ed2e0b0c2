/** The mismatches, worst first: expected, seen, likely cause, and a command to copy. */
import { html } from 'hono/html';
import { severityOf } from '../../model/mismatches.js';
import type { Mismatch, Report } from '../../model/model.js';
import { groupBy } from '../../runtime/group-by.js';
import { endpointText, positionText } from '../../words/words.js';
import { duration, plural } from '../format.js';
import { type MismatchView, mismatchView } from '../view.js';
import { foreign, type Html, instancePath } from './layout.js';

/** Cards of one code, one for each kind of cause; further ones are folded into a table. */
const maxCards = 8;
/** Up to so many instances with the same trouble, the card lists them unfolded. */
const maxUnfolded = 5;
/** Rows of a folded table. */
const maxRows = 200;

/** Offers the command for copying only if it is displayed unchanged: not truncated, nothing spelled out. */
function remedyHtml({ remedy, command }: MismatchView): Html {
  const shown = foreign(remedy, 400);
  const advice = (text: string) => html`<p class="advice"><span class="soft">Try:</span> ${text}</p>`;
  if (command === undefined || shown !== remedy) return advice(shown);
  const before = remedy.slice(0, remedy.length - command.length);
  return html`${before === '' ? '' : advice(before)}<div class="try"><pre tabindex="0" aria-label="Command to try">${command}</pre></div>`;
}

function subjectHtml(mismatch: Mismatch): Html {
  const { name, protocol, address, port } = mismatch;
  return html`${name === undefined ? '' : html`<a href="${instancePath(name)}"><bdi>${foreign(name, 60)}</bdi></a> `}${
    protocol === undefined
      ? ''
      : html`<span class="subject">${protocol} ${foreign(endpointText(address ?? '*', port), 80)}</span>`
  }`;
}

function age(mismatch: Mismatch, now: number): string {
  if (mismatch.since === undefined) return '';
  const seconds = now - mismatch.since;
  return seconds < 1 ? 'just now' : `for ${duration(seconds)}`;
}

/** Ports of one instance with the same trouble, shown once with all endpoints. */
type Group = readonly [Mismatch, ...Mismatch[]];
/** Instances with the same trouble. */
type Card = readonly [Group, ...Group[]];

function othersHtml(others: readonly Mismatch[], index: number): Html | '' {
  if (others.length === 0) return '';
  const shown = others.slice(0, maxRows).map((m) => `${m.protocol} ${endpointText(m.address ?? '*', m.port)}`);
  const left = others.length - shown.length;
  return html`<details class="others" id="others-${others[0]!.code}-${index}"><summary>and ${plural(others.length, 'more port')} of this instance with the same trouble</summary>
<p class="mono">${foreign(shown.join(', '), 8000)}${left > 0 ? ` and ${left} more` : ''}</p></details>`;
}

/** The other groups of a card, or the groups of folded cards. */
function groupTable(groups: readonly Group[], now: number, label: string): Html {
  const left = groups.length - maxRows;
  return html`<div class="scroll" data-scroll tabindex="0" role="group" aria-label="${label}"><table><thead><tr><th scope="col">Instance and port</th><th scope="col">Seen</th><th scope="col">Declared in</th><th scope="col">Since</th><th scope="col">Try</th></tr></thead><tbody>
${groups.slice(0, maxRows).map((group) => groupRow(group, now))}</tbody></table></div>
${left > 0 ? html`<p class="soft">${left} more; see <a href="/api/v1/status">JSON</a>.</p>` : ''}`;
}

function groupRow([mismatch, ...others]: Group, now: number): Html {
  const { seen, remedy } = mismatchView(mismatch);
  return html`<tr><td>${subjectHtml(mismatch)}${others.length === 0 ? '' : html` <span class="soft">and ${plural(others.length, 'more port')}</span>`}</td><td>${foreign(seen)}</td><td class="mono">${foreign(positionText(mismatch.declaredIn))}</td><td class="tight">${age(mismatch, now)}</td><td>${foreign(remedy, 200)}</td></tr>
`;
}

function alikeHtml(groups: readonly Group[], now: number, index: number): Html | '' {
  if (groups.length === 0) return '';
  const { code, name } = groups[0]![0];
  const text = `and ${plural(groups.length, name === undefined ? 'more port' : 'more instance')} with the same trouble`;
  return html`<details class="alike" id="alike-${code}-${index}"${groups.length > maxUnfolded ? '' : html` open`}><summary>${text}</summary>
${groupTable(groups, now, text)}
</details>`;
}

function article([[mismatch, ...others], ...alike]: Card, now: number, index: number): Html {
  const view = mismatchView(mismatch);
  const { severity, title, expected, seen, cause, evidence, remedy } = view;
  return html`<article class="mismatch ${severity}">
<div class="head"><span class="tag">${severity}</span> <h3>${title}</h3> ${subjectHtml(mismatch)} <span class="since">${age(mismatch, now)}</span></div>
<dl>
<dt>Expected</dt><dd>${foreign(expected, 400)}${othersHtml(others, index)}</dd>
<dt>Seen</dt><dd>${foreign(seen, 400)}</dd>
${cause === '' ? '' : html`<dt>Likely cause</dt><dd>${foreign(cause, 600)}</dd>`}${evidence.length === 0 ? '' : html`<dt>Also known</dt>${evidence.map((text) => html`<dd>${foreign(text, 600)}</dd>`)}`}
</dl>
${remedy === '' ? '' : remedyHtml(view)}
${alikeHtml(alike, now, index)}</article>
`;
}

function fold(cards: readonly Card[], now: number): Html {
  const groups = cards.flat();
  const { title, mismatch, severity } = mismatchView(groups[0]![0]);
  return html`<details class="more" id="more-${mismatch.code}"><summary><span class="tag ${severity}">${severity}</span> ${title}: ${groups.length} more</summary>
${groupTable(groups, now, `${title}: more`)}
</details>
`;
}

/** Fields that may differ between mismatches of one card: amounts, times, positions, names. */
const ownDetails: ReadonlySet<string> = new Set(
  'at,declaredIn,file,subject,instance,gained,lost,address,uid,headStart,sinceSeconds,forSeconds,periodSeconds,withinSeconds,count,bytes,limit,wanted,granted,datagrams,events,waiting,capacity'.split(
    ',',
  ),
);

/** The same for mismatches of one severity and kind of cause, and, for a held port, of one owner. */
function causeKey(mismatch: Mismatch): string {
  return JSON.stringify([severityOf(mismatch), mismatch.cause], (key, value) =>
    ownDetails.has(key) ? undefined : value,
  );
}

/** Ports of one instance form a group; a mismatch of an instance itself, or of a plain port, is a group of its own. */
function instanceKey(mismatch: Mismatch): string | Mismatch {
  return mismatch.name === undefined || mismatch.port === undefined ? mismatch : mismatch.name;
}

/** In the order of the report: worst first. */
export function mismatchList(mismatches: readonly Mismatch[], report: Report): Html[] {
  const now = report.snapshot.takenAt;
  return [...groupBy(mismatches, (m) => m.code).values()].flatMap((ofCode) => {
    const cards = [...groupBy(ofCode, causeKey).values()].map((alike): Card => {
      const [first, ...others] = groupBy(alike, instanceKey).values();
      return [first!, ...others];
    });
    return [
      ...cards.slice(0, maxCards).map((card, i) => article(card, now, i)),
      ...(cards.length > maxCards ? [fold(cards.slice(maxCards), now)] : []),
    ];
  });
}
