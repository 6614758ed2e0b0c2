/** History as small inline SVG: a line while a port is served, gaps while it is not, arrivals and queue as areas, drops as bars. */
import { html } from 'hono/html';
import type { Changes, History } from '../../model/model.js';
import { maxSamples, stretches } from '../../report/history.js';
import { duration, plural } from '../format.js';
import type { Html } from './layout.js';

// Pixels: one for each sample of a full history. Fewer samples are drawn wider, but a few never fill the whole width.
const width = maxSamples;
const leastSamples = 20;
const height = 22;
const base = 18;

/** Duration of a stretch in seconds, by the times of its samples. */
function seconds(history: History, from: number, until: number, now: number): number {
  const start = history.times[from - history.first] ?? now;
  return (history.times[until - history.first] ?? now) - start;
}

/** `x` and `width` of a stretch; the newest sample is at the right edge. */
function span(history: History, from: number, until: number): Html {
  const step = width / Math.max(leastSamples, history.times.length);
  const x = width - (history.first + history.times.length - from) * step;
  return html`x="${x.toFixed(1)}" width="${Math.max(1, (until - from) * step).toFixed(1)}"`;
}

function upMarks(up: Changes, history: History): Html[] {
  return stretches(up, history).map(([from, until, value]) => {
    const tone = value === 1 ? 'ok' : value === 0 ? 'bad' : 'odd';
    const tall = value === 1 ? 2 : 4;
    return html`<rect class="${tone}" ${span(history, from, until)} y="${height - tall}" height="${tall}"/>`;
  });
}

function queueMarks(queue: Changes, history: History): Html[] {
  return stretches(queue, history).flatMap(([from, until, eighths]) => {
    const tall = eighths * 2;
    return eighths === 0
      ? []
      : [html`<rect class="queue" ${span(history, from, until)} y="${base - tall}" height="${tall}"/>`];
  });
}

/** Arrivals, by order of magnitude. */
function cameMarks(came: Changes, history: History): Html[] {
  return stretches(came, history).flatMap(([from, until, magnitude]) => {
    const tall = Math.min(16, 2 * magnitude);
    return magnitude === 0
      ? []
      : [html`<rect class="came" ${span(history, from, until)} y="${base - tall}" height="${tall}"/>`];
  });
}

/** One bar for each sample, by order of magnitude. */
function dropMarks(drops: Changes, history: History): Html[] {
  return stretches(drops, history).flatMap(([from, until, count]) => {
    if (count === 0) return [];
    const tall = Math.min(16, 4 + 3 * Math.floor(Math.log10(count)));
    return [html`<rect class="drops" ${span(history, from, until)} y="${base - tall}" height="${tall}"/>`];
  });
}

/** `not served for 2m`, `120 datagrams dropped`, `queue up to 5/8`. */
function findings(history: History, now: number, up: Changes, drops: Changes, queue: Changes): string[] {
  const total = (value: number) =>
    stretches(up, history).reduce(
      (sum, [from, until, v]) => (v === value ? sum + Math.max(1, seconds(history, from, until, now)) : sum),
      0,
    );
  const [down, unseen] = [total(0), total(-1)];
  const dropped = stretches(drops, history).reduce((sum, [from, until, v]) => sum + v * (until - from), 0);
  const fullest = Math.max(0, ...stretches(queue, history).map(([, , v]) => v));
  return [
    ...(down > 0 ? [`not served for ${duration(down)}`] : []),
    ...(unseen > 0 ? [`not seen for ${duration(unseen)}`] : []),
    ...(dropped > 0 ? [`${plural(dropped, 'datagram')} dropped`] : []),
    ...(fullest > 0 ? [`queue up to ${fullest}/8 of its buffer`] : []),
  ];
}

/** Whether datagrams arrived; empty if they are not counted. */
function cameText(history: History, now: number, came: Changes | undefined): string[] {
  if (came === undefined) return [];
  const parts = stretches(came, history).filter(([, , magnitude]) => magnitude > 0);
  if (parts.length === 0) return ['nothing arrived'];
  const last = parts.at(-1)![1];
  const quiet =
    last >= history.first + history.times.length ? 0 : seconds(history, last - 1, Number.POSITIVE_INFINITY, now);
  return [quiet > 0 ? `nothing arrived for the last ${duration(quiet)}` : 'datagrams arrived'];
}

function drawing(text: string, marks: readonly Html[]): Html {
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${text}"><title>${text}</title>${marks}</svg>`;
}

/** Age of the oldest sample, e.g. `34m`. `now`: seconds since the epoch. */
export function reach(history: History | undefined, now: number): string {
  return history?.times[0] === undefined ? '0s' : duration(now - history.times[0]);
}

/** The history of one port; empty with fewer than two samples. */
export function portSpark(history: History | undefined, id: string, key: string, now: number): Html | '' {
  const track = history?.ports[id]?.[key];
  if (history === undefined || track === undefined || history.times.length < 2) return '';
  const { up, drops, queue, came } = track;
  const troubles = findings(history, now, up, drops, queue);
  const texts = [...(troubles.length === 0 ? ['served all the time'] : troubles), ...cameText(history, now, came)];
  return drawing(`${reach(history, now)}: ${texts.join(', ')}`, [
    ...(came === undefined ? [] : cameMarks(came, history)),
    ...queueMarks(queue, history),
    ...dropMarks(drops, history),
    ...upMarks(up, history),
  ]);
}

/** Whether an instance ran. */
export function instanceSpark(history: History | undefined, id: string, now: number): Html | '' {
  const track = history?.instances[id];
  if (history === undefined || track === undefined || history.times.length < 2) return '';
  const troubles = findings(history, now, track.up, [], []).map((text) => text.replace('served', 'running'));
  return drawing(
    `${reach(history, now)}: ${troubles.length === 0 ? 'running all the time' : troubles.join(', ')}`,
    upMarks(track.up, history),
  );
}
