/** The diagram for a phone: each instance as a heading, its ports below, the owner of a port to its right. */
import { html } from 'hono/html';
import { cut, safe } from '../../terminal/terminal.js';
import type { Html } from '../layout.js';
import type { SceneGroup, SceneRow } from './picture-scene.js';

// Pixels in the drawing's own coordinates; a phone 375 pixels wide shows them nearly one to one.
const canvas = 340;
const headHeight = 42;
const rowHeight = 32;
const boxHeight = 24;
const gap = 12;
const spine = 8;
const port = { x: 20, width: 176 };
const owner = { x: 214, width: 125 };
/** Characters of the port's box, at 6.6 pixels each. */
const portChars = 25;

function portRow(group: SceneGroup, row: SceneRow, headBottom: number, y: number): Html {
  const gone = group.gone ? 'gone' : '';
  const lost = row.owner === undefined && row.tone === 'bad';
  // Without an owner, the box takes the whole width.
  const width = row.owner === undefined ? canvas - port.x - 1 : port.width;
  const chars = row.owner === undefined ? 34 : portChars - (row.note === '' ? 0 : row.note.length + 1);
  const top = y - boxHeight / 2;
  return html`<path class="link ${row.tone} ${gone}" d="M${spine} ${headBottom}V${y}H${port.x}"/>
<rect class="box ${row.tone} ${lost ? 'gone' : ''}" x="${port.x}" y="${top}" width="${width}" height="${boxHeight}" rx="3"/>
<text class="label mono" x="${port.x + 7}" y="${y + 4}">${cut(safe(row.label), chars)}</text>
${row.note === '' ? '' : html`<text class="${row.tone} text" x="${port.x + width - 7}" y="${y + 4}" text-anchor="end">${row.note}</text>`}
${
  row.owner === undefined
    ? ''
    : html`<path class="link ${row.tone}" d="M${port.x + width} ${y}H${owner.x}"/>
<rect class="box ${row.tone}" x="${owner.x}" y="${top}" width="${owner.width}" height="${boxHeight}" rx="3"/>
<text class="label" x="${owner.x + 7}" y="${y + 4}">${cut(safe(row.owner.comm), 9)} pid ${row.owner.pid}</text>`
}
`;
}

function groupHtml(group: SceneGroup, top: number): Html {
  const { label, note, tone, gone, rows } = group;
  const bottom = top + headHeight;
  // Healthy rows first, so that their lines do not cover those of rows in trouble.
  const drawn = rows.map((row, i) => ({ row, y: bottom + gap / 2 + rowHeight * i + boxHeight / 2 }));
  return html`<rect class="box ${tone} ${gone ? 'gone' : 'partly'}" x="1" y="${top + 1}" width="${canvas - 2}" height="${headHeight - 2}" rx="3"/>
<text class="label" x="12" y="${top + 18}" font-weight="600">${cut(safe(label), 36)}</text>
<text class="${tone === 'ok' ? 'soft' : `${tone} text`}" x="12" y="${top + 33}">${note}</text>
${drawn.filter(({ row }) => row.tone === 'ok').map(({ row, y }) => portRow(group, row, bottom, y))}
${drawn.filter(({ row }) => row.tone !== 'ok').map(({ row, y }) => portRow(group, row, bottom, y))}
`;
}

export function narrowPicture(groups: readonly SceneGroup[], text: string): Html {
  let y = 0;
  const placed = groups.map((group) => {
    const top = y;
    y += headHeight + (group.rows.length > 0 ? gap / 2 : 0) + group.rows.length * rowHeight + gap;
    return groupHtml(group, top);
  });
  return html`<svg class="narrow" viewBox="0 0 ${canvas} ${y - gap}" role="img" aria-labelledby="narrow-title narrow-text">
<title id="narrow-title">Instances, their ports, and the processes that hold them</title>
<desc id="narrow-text">${text}</desc>
${placed}
</svg>`;
}
