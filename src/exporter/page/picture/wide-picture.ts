/** The diagram for a wide screen: instances left, ports in the middle, owners right. Healthy links are thin, broken ones stand out. */
import { html } from 'hono/html';
import { cut, safe } from '../../terminal/terminal.js';
import type { Html } from '../layout.js';
import type { SceneGroup, SceneRow, Tone } from './picture-scene.js';

// Pixels in the drawing's own coordinates.
const canvas = 880;
const left = { x: 1, width: 249 };
const middle = { x: 330, width: 220 };
const right = { x: 640, width: 239 };
const rowHeight = 34;
const boxHeight = 26;
const head = 26;
const gap = 10;

interface PlacedPort {
  group: SceneGroup;
  top: number;
  height: number;
  rows: { row: SceneRow; y: number }[];
}

interface PlacedOwner {
  label: string;
  tone: Tone;
  y: number;
}

function place(groups: readonly SceneGroup[]): { placed: PlacedPort[]; bottom: number } {
  let y = head;
  const placed = groups.map((group) => {
    const height = Math.max(1.2, group.rows.length) * rowHeight;
    const top = y;
    const offset = group.rows.length <= 1 ? height / 2 : rowHeight / 2;
    const rows = group.rows.map((row, i) => ({ row, y: top + offset + i * rowHeight }));
    y += height + gap;
    return { group, top, height, rows };
  });
  return { placed, bottom: y };
}

/** One box for each owner, at the mean height of its ports, without overlap. */
function placeOwners(placed: readonly PlacedPort[]): Map<number, PlacedOwner> {
  const byPid = new Map<number, { label: string; tone: Tone; ys: number[] }>();
  for (const { row, y } of placed.flatMap((p) => p.rows)) {
    if (row.owner === undefined) continue;
    const known = byPid.get(row.owner.pid) ?? {
      label: `${cut(safe(row.owner.comm), 16)}  pid ${row.owner.pid}`,
      tone: 'ok' as Tone,
      ys: [],
    };
    byPid.set(row.owner.pid, { ...known, tone: row.tone === 'bad' ? 'bad' : known.tone, ys: [...known.ys, y] });
  }
  const wanted = [...byPid].map(([pid, { label, tone, ys }]) => ({
    pid,
    label,
    tone,
    y: ys.reduce((a, b) => a + b, 0) / ys.length,
  }));
  wanted.sort((a, b) => a.y - b.y);
  const owners = new Map<number, PlacedOwner>();
  let last = Number.NEGATIVE_INFINITY;
  for (const { pid, label, tone, y } of wanted) {
    last = Math.max(y, last + boxHeight + 6);
    owners.set(pid, { label, tone, y: last });
  }
  return owners;
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1.toFixed(1)}C${x1 + bend} ${y1.toFixed(1)} ${x2 - bend} ${y2.toFixed(1)} ${x2} ${y2.toFixed(1)}`;
}

function rowLinks({ group, top, height, rows }: PlacedPort, owners: ReadonlyMap<number, PlacedOwner>): Html[] {
  const centre = top + height / 2;
  return rows.map(({ row, y }) => {
    const owner = row.owner === undefined ? undefined : owners.get(row.owner.pid);
    const from = rows.length <= 1 ? y : Math.min(Math.max(y, top + 8), top + height - 8);
    return html`<path class="link ${row.tone} ${row.tone === 'ok' ? '' : 'gone'}" d="${curve(left.x + left.width, group.rows.length <= 1 ? centre : from, middle.x, y)}"/>
${owner === undefined ? '' : html`<path class="link ${row.tone}" d="${curve(middle.x + middle.width, y, right.x, owner.y)}"/>`}`;
  });
}

function rowBox({ row, y }: { row: SceneRow; y: number }): Html {
  const nothing = row.owner === undefined && row.tone === 'bad';
  return html`<rect class="box ${row.tone} ${nothing ? 'gone' : ''}" x="${middle.x}" y="${(y - boxHeight / 2).toFixed(1)}" width="${middle.width}" height="${boxHeight}" rx="3"/>
<text class="label mono" x="${middle.x + 10}" y="${(y + 4).toFixed(1)}">${cut(safe(row.label), row.note === '' ? 26 : 18)}</text>
${row.note === '' ? '' : html`<text class="${row.tone} text" x="${middle.x + middle.width - 10}" y="${(y + 4).toFixed(1)}" text-anchor="end">${row.note}</text>`}
`;
}

function groupBox({ group, top, height }: PlacedPort): Html {
  const y = top + height / 2;
  return html`<rect class="box ${group.tone} ${group.gone ? 'gone' : 'partly'}" x="${left.x}" y="${(top + 1).toFixed(1)}" width="${left.width}" height="${(height - 2).toFixed(1)}" rx="3"/>
<text class="label" x="${left.x + 12}" y="${(y - 3).toFixed(1)}" font-weight="600">${cut(safe(group.label), 30)}</text>
<text class="${group.tone === 'ok' ? 'soft' : `${group.tone} text`}" x="${left.x + 12}" y="${(y + 13).toFixed(1)}">${group.note}</text>
`;
}

function ownerBox({ label, tone, y }: PlacedOwner): Html {
  return html`<rect class="box ${tone}" x="${right.x}" y="${(y - boxHeight / 2).toFixed(1)}" width="${right.width}" height="${boxHeight}" rx="3"/>
<text class="label" x="${right.x + 10}" y="${(y + 4).toFixed(1)}">${label}</text>
`;
}

export function widePicture(groups: readonly SceneGroup[], text: string): Html {
  const { placed, bottom } = place(groups);
  const owners = placeOwners(placed);
  const lowest = Math.max(bottom, ...[...owners.values()].map((o) => o.y + boxHeight / 2 + gap));
  // Healthy links first, so that broken ones are drawn on top.
  const links = placed.flatMap((p) =>
    rowLinks(p, owners).map((link, i) => ({ link, healthy: p.rows[i]!.row.tone === 'ok' })),
  );
  return html`<svg class="broad" viewBox="0 0 ${canvas} ${Math.ceil(lowest)}" role="img" aria-labelledby="picture-title picture-text">
<title id="picture-title">Instances, their ports, and the processes that hold them</title>
<desc id="picture-text">${text}</desc>
<text class="col" x="${left.x}" y="12">Filebeat instance</text><text class="col" x="${middle.x}" y="12">Expected port</text><text class="col" x="${right.x}" y="12">Process that holds it</text>
${links.filter((l) => l.healthy).map((l) => l.link)}
${links.filter((l) => !l.healthy).map((l) => l.link)}
${placed.map(groupBox)}
${placed.flatMap((p) => p.rows).map(rowBox)}
${[...owners.values()].map(ownerBox)}
</svg>`;
}
