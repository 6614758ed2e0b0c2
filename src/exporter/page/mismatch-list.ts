/** The mismatches, worst first: what was expected, what was seen, the likely cause, the command to copy. */
import { html } from 'hono/html';
import type { Mismatch, Report } from '../../model/model.js';
import { endpointText, positionText } from '../../words/words.js';
import { duration, plural } from '../format.js';
import { type MismatchView, mismatchView } from '../view.js';
import { foreign, type Html, instancePath } from './layout.js';

/** Of one code so many are told in full; the rest is folded to a table. */
const inFull = 8;
/** A fold holds at most so many rows; JSON has them all. */
const inFold = 200;

/** A command is offered for copying only if it stands there as it is: not cut, nothing spelled out. */
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

/** Ports of one instance with one and the same trouble: told once, with all the endpoints. */
type Group = readonly [Mismatch, ...Mismatch[]];

function othersHtml(others: readonly Mismatch[], index: number): Html | '' {
  if (others.length === 0) return '';
  const shown = others.slice(0, inFold).map((m) => `${m.protocol} ${endpointText(m.address ?? '*', m.port)}`);
  const left = others.length - shown.length;
  return html`<details class="others" id="others-${others[0]!.code}-${index}"><summary>and ${plural(others.length, 'more port')} of it with the same trouble</summary>
<p class="mono">${foreign(shown.join(', '), 8000)}${left > 0 ? ` and ${left} more` : ''}</p></details>`;
}

function article([mismatch, ...others]: Group, now: number, index: number): Html {
  const view = mismatchView(mismatch);
  const { severity, title, expected, seen, cause, remedy } = view;
  return html`<article class="mismatch ${severity}">
<div class="head"><span class="tag">${severity}</span> <h3>${title}</h3> ${subjectHtml(mismatch)} <span class="since">${age(mismatch, now)}</span></div>
<dl>
<dt>Expected</dt><dd>${foreign(expected, 400)}${othersHtml(others, index)}</dd>
<dt>Seen</dt><dd>${foreign(seen, 400)}</dd>
${cause === '' ? '' : html`<dt>Likely cause</dt><dd>${foreign(cause, 600)}</dd>`}
</dl>
${remedy === '' ? '' : remedyHtml(view)}
</article>
`;
}

function foldRow([mismatch, ...others]: Group, now: number): Html {
  return html`<tr><td>${subjectHtml(mismatch)}${others.length === 0 ? '' : html` <span class="soft">and ${plural(others.length, 'more port')}</span>`}</td><td>${foreign(mismatchView(mismatch).seen)}</td><td class="mono">${foreign(positionText(mismatch.declaredIn))}</td><td class="tight">${age(mismatch, now)}</td></tr>
`;
}

function fold(groups: readonly Group[], now: number): Html {
  const { title, mismatch, severity } = mismatchView(groups[0]![0]);
  const left = groups.length - inFold;
  return html`<details class="more" id="more-${mismatch.code}"><summary><span class="tag ${severity}">${severity}</span> ${title}: ${groups.length} more</summary>
<div class="scroll" data-scroll tabindex="0" role="group" aria-label="${title}: the rest"><table><thead><tr><th scope="col">Instance and port</th><th scope="col">Seen</th><th scope="col">Declared in</th><th scope="col">Since</th></tr></thead><tbody>
${groups.slice(0, inFold).map((group) => foldRow(group, now))}</tbody></table></div>
${left > 0 ? html`<p class="soft">${left} more: <a href="/api/v1/status">JSON</a> has them all.</p>` : ''}
</details>
`;
}

function grouped<K>(mismatches: readonly Mismatch[], keyOf: (mismatch: Mismatch) => K): Group[] {
  const groups = new Map<K, [Mismatch, ...Mismatch[]]>();
  for (const mismatch of mismatches) {
    const key = keyOf(mismatch);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [mismatch]);
    else group.push(mismatch);
  }
  return [...groups.values()];
}

/** The same code, instance and cause; a mismatch of the instance itself stands alone. */
function troubleKey(mismatch: Mismatch): string | Mismatch {
  const { code, name, port, cause } = mismatch;
  return name === undefined || port === undefined ? mismatch : JSON.stringify([code, name, cause]);
}

/** All of them as HTML; the list is in the order of the report: worst first. */
export function mismatchList(mismatches: readonly Mismatch[], report: Report): Html[] {
  const now = report.snapshot.takenAt;
  return grouped(mismatches, (m) => m.code).flatMap((ofCode) => {
    const groups = grouped(ofCode, troubleKey);
    return [
      ...groups.slice(0, inFull).map((group, i) => article(group, now, i)),
      ...(groups.length > inFull ? [fold(groups.slice(inFull), now)] : []),
    ];
  });
}
