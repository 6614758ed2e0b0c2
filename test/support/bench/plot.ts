/** Line charts as SVG: points joined by lines from zero, axes, one colour for each series. No library, no fonts. */

export interface Series {
  title: string;
  points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 560;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 16;
const TOP = 34;
const BOTTOM = 46;
const COLOURS = ['#0b6e99', '#c0392b', '#7f8c8d'];

/** 1, 2 or 5 times a power of ten, so that about four steps reach `most`. */
function step(most: number): number {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
}

const escaped = (text: string) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]!);
const number = (value: number) => String(Math.round(value * 100) / 100);

export function plot(title: string, across: string, up: string, all: readonly Series[]): string {
  const xs = all.flatMap(({ points }) => points.map(([x]) => x));
  const ys = all.flatMap(({ points }) => points.map(([, y]) => y));
  const [xStep, yStep] = [step(Math.max(...xs, 1)), step(Math.max(...ys, 1e-3))];
  const xMost = Math.ceil(Math.max(...xs, 1) / xStep) * xStep;
  const yMost = Math.ceil(Math.max(...ys, 1e-3) / yStep) * yStep;
  const x = (value: number) => LEFT + (value / xMost) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (value / yMost) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="18" font-weight="bold">${escaped(title)}</text>`,
  ];
  for (let at = 0; at <= yMost + yStep / 2; at += yStep)
    parts.push(
      `<path d="M${LEFT} ${number(y(at))}H${WIDTH - RIGHT}" stroke="#ddd"/><text x="${LEFT - 6}" y="${number(y(at) + 4)}" text-anchor="end">${number(at)}</text>`,
    );
  for (let at = 0; at <= xMost + xStep / 2; at += xStep)
    parts.push(
      `<path d="M${number(x(at))} ${HEIGHT - BOTTOM}v4" stroke="#333"/><text x="${number(x(at))}" y="${HEIGHT - BOTTOM + 17}" text-anchor="middle">${number(at)}</text>`,
    );
  parts.push(
    `<path d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" fill="none" stroke="#333"/>`,
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${escaped(across)}</text>`,
    `<text x="14" y="${TOP}" transform="rotate(-90 14 ${TOP})" text-anchor="end">${escaped(up)}</text>`,
  );
  all.forEach(({ title: name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length];
    const sorted = [...points].sort(([a], [b]) => a - b);
    parts.push(
      `<path d="M${sorted.map(([px, py]) => `${number(x(px))} ${number(y(py))}`).join('L')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...sorted.map(([px, py]) => `<circle cx="${number(x(px))}" cy="${number(y(py))}" r="3" fill="${colour}"/>`),
      `<text x="${LEFT + 10}" y="${TOP + 14 + index * 16}" fill="${colour}">${escaped(name)}</text>`,
    );
  });
  return `${parts.join('\n')}\n</svg>\n`;
}
