/** The mismatches, worst first: what was expected, what was seen, the likely cause, the command to copy. */
import { html } from 'hono/html';
import { severityOf } from '../../model/mismatches.js';
import type { Mismatch, Report } from '../../model/model.js';
import { endpointText, positionText } from '../../words/words.js';
import { duration, plural } from '../format.js';
import { type MismatchView, mismatchView } from '../view.js';
import { foreign, type Html, instancePath } from './layout.js';

/** Of one code so many causes have a card; the rest is folded to a table. */
const inFull = 8;
/** So many alike instances are listed in the card without a click. */
const openAlike = 5;
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
/** Instances with alike trouble: one card. */
type Card = readonly [Group, ...Group[]];

function othersHtml(others: readonly Mismatch[], index: number): Html | '' {
  if (others.length === 0) return '';
  const shown = others.slice(0, inFold).map((m) => `${m.protocol} ${endpointText(m.address ?? '*', m.port)}`);
  const left = others.length - shown.length;
  return html`<details class="others" id="others-${others[0]!.code}-${index}"><summary>and ${plural(others.length, 'more port')} of it with the same trouble</summary>
<p class="mono">${foreign(shown.join(', '), 8000)}${left > 0 ? ` and ${left} more` : ''}</p></details>`;
}

/** The rows of those that share a card with `first`, or of cards that are not told in full. */
function groupTable(groups: readonly Group[], now: number, label: string): Html {
  const left = groups.length - inFold;
  return html`<div class="scroll" data-scroll tabindex="0" role="group" aria-label="${label}"><table><thead><tr><th scope="col">Instance and port</th><th scope="col">Seen</th><th scope="col">Declared in</th><th scope="col">Since</th><th scope="col">Try</th></tr></thead><tbody>
${groups.slice(0, inFold).map((group) => groupRow(group, now))}</tbody></table></div>
${left > 0 ? html`<p class="soft">${left} more: <a href="/api/v1/status">JSON</a> has them all.</p>` : ''}`;
}

function groupRow([mismatch, ...others]: Group, now: number): Html {
  const { seen, remedy } = mismatchView(mismatch);
  return html`<tr><td>${subjectHtml(mismatch)}${others.length === 0 ? '' : html` <span class="soft">and ${plural(others.length, 'more port')}</span>`}</td><td>${foreign(seen)}</td><td class="mono">${foreign(positionText(mismatch.declaredIn))}</td><td class="tight">${age(mismatch, now)}</td><td>${foreign(remedy, 200)}</td></tr>
`;
}

/** Few stand open. */
function alikeHtml(rest: readonly Group[], now: number, index: number): Html | '' {
  if (rest.length === 0) return '';
  const { code, name } = rest[0]![0];
  const text = `and ${plural(rest.length, name === undefined ? 'more port' : 'more instance')} with the same trouble`;
  return html`<details class="alike" id="alike-${code}-${index}"${rest.length > openAlike ? '' : html` open`}><summary>${text}</summary>
${groupTable(rest, now, text)}
</details>`;
}

function article([[mismatch, ...others], ...rest]: Card, now: number, index: number): Html {
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
${alikeHtml(rest, now, index)}</article>
`;
}

function fold(cards: readonly Card[], now: number): Html {
  const groups = cards.flat();
  const { title, mismatch, severity } = mismatchView(groups[0]![0]);
  return html`<details class="more" id="more-${mismatch.code}"><summary><span class="tag ${severity}">${severity}</span> ${title}: ${groups.length} more</summary>
${groupTable(groups, now, `${title}: the rest`)}
</details>
`;
}

function grouped<T, K>(items: readonly T[], keyOf: (item: T) => K): [T, ...T[]][] {
  const groups = new Map<K, [T, ...T[]]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** What differs between two alike mismatches: amounts, times, and the places where each instance has it. */
const ownDetails: ReadonlySet<string> = new Set(
  'at,declaredIn,file,subject,instance,gained,lost,address,uid,headStart,sinceSeconds,forSeconds,periodSeconds,withinSeconds,count,bytes,limit,wanted,granted,datagrams,events,waiting,capacity'.split(
    ',',
  ),
);

/** Equal for mismatches of one severity and kind of cause; for one that is held by the same process, too. */
function causeKey(mismatch: Mismatch): string {
  return JSON.stringify([severityOf(mismatch), mismatch.cause], (key, value) =>
    ownDetails.has(key) ? undefined : value,
  );
}

/** One instance's ports with one cause are one group; a mismatch of the instance itself, or of none, stands alone. */
function instanceKey(mismatch: Mismatch): string | Mismatch {
  return mismatch.name === undefined || mismatch.port === undefined ? mismatch : mismatch.name;
}

/** All of them as HTML; the list is in the order of the report: worst first. */
export function mismatchList(mismatches: readonly Mismatch[], report: Report): Html[] {
  const now = report.snapshot.takenAt;
  return grouped(mismatches, (m) => m.code).flatMap((ofCode) => {
    const cards = grouped(ofCode, causeKey).map((alike): Card => {
      const [first, ...rest] = grouped(alike, instanceKey);
      return [first!, ...rest];
    });
    return [
      ...cards.slice(0, inFull).map((card, i) => article(card, now, i)),
      ...(cards.length > inFull ? [fold(cards.slice(inFull), now)] : []),
    ];
  });
}
