/** Safe and aligned text for terminals: names from outside cannot send escape sequences, tables fit the width. Pure. */
import { spelledOut } from '../../runtime/controls.js';

/** Text from outside with all control characters spelled out, e.g. `\x1b[31m`. */
export const safe = spelledOut;

/** Created on demand: it takes 10 ms, and most texts need none. */
let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

const wide =
  /\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
/** Text whose characters are all one column wide: Latin letters and typographic punctuation. */
const plain = /^[\u0020-\u007e\u00a0-\u036f\u2010-\u2027\u2030-\u203b]*$/;

/** The segmenter copies its whole text for every grapheme, so a long text is segmented in pieces. */
const pieces = /[\u0000-\u001f]|[^\u0000-\u001f]{1,200}/gu;

function split(text: string): string[] {
  if (plain.test(text)) return [...text];
  return (text.match(pieces) ?? []).flatMap((piece) => (piece.length === 1 ? [piece] : graphemesOf(piece)));
}

const widthOf = (grapheme: string): number => (wide.test(grapheme) ? 2 : 1);

/** Columns that a text takes on a terminal. */
export function width(text: string): number {
  return plain.test(text) ? text.length : split(text).reduce((sum, g) => sum + widthOf(g), 0);
}

/** The text, truncated to at most `columns` with a final `…`. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  let used = 1;
  let fitting = '';
  for (const grapheme of split(text)) {
    used += widthOf(grapheme);
    if (used > columns) break;
    fitting += grapheme;
  }
  return `${fitting}…`;
}

/** Lines of at most `columns`, broken at spaces. A longer word stays whole, so that paths can be copied. */
export function wrap(text: string, columns: number): string[] {
  if (columns < 20 || width(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.split(' ')) {
    const wide = width(word);
    const fits = line === '' || used + 1 + wide <= columns;
    if (!fits) lines.push(line);
    used = fits && line !== '' ? used + 1 + wide : wide;
    line = fits && line !== '' ? `${line} ${word}` : word;
  }
  return [...lines, line];
}

export type Colour = 'red' | 'yellow' | 'green' | 'blue' | 'dim' | 'bold';

const codes: Record<Colour, [number, number]> = {
  red: [31, 39],
  yellow: [33, 39],
  green: [32, 39],
  blue: [34, 39],
  dim: [2, 22],
  bold: [1, 22],
};

export type Paint = (text: string, colour: Colour | undefined) => string;

/** Paints with ANSI colours, or not at all. */
export function painter(on: boolean): Paint {
  return (text, colour) =>
    on && colour !== undefined && text !== '' ? `\u001b[${codes[colour][0]}m${text}\u001b[${codes[colour][1]}m` : text;
}

export interface Column {
  title: string;
  align?: 'right';
  /** Minimum width: cells are truncated to it before the column is dropped. */
  least: number;
  /** On a narrow terminal the column with the highest number is dropped first; absent: never dropped. */
  drop?: number;
}

export interface Cell {
  text: string;
  colour?: Colour;
}

/** Maximum width of a cell on any terminal: a name can be 4 KB long. */
const widest = 160;
const gutter = 2;

/** Widths that fit: first drops columns until the minimum widths fit, then truncates the widest. Undefined: dropped. */
function fit(columns: readonly Column[], natural: readonly number[], available: number): (number | undefined)[] {
  const widths: (number | undefined)[] = natural.map((w) => Math.min(w, widest));
  const total = () => widths.reduce<number>((sum, w) => sum + (w === undefined ? 0 : w + gutter), -gutter);
  const least = (i: number) => Math.min(columns[i]!.least, natural[i]!);
  const leastTotal = () =>
    widths.reduce<number>((sum, w, i) => sum + (w === undefined ? 0 : least(i) + gutter), -gutter);
  while (leastTotal() > available) {
    const candidates = columns
      .map((c, i) => ({ i, drop: c.drop }))
      .filter((c) => c.drop !== undefined && widths[c.i] !== undefined);
    const worst = candidates.sort((a, b) => b.drop! - a.drop!)[0];
    if (worst === undefined) break;
    widths[worst.i] = undefined;
  }
  while (total() > available) {
    let slack = -1;
    widths.forEach((w, i) => {
      if (w !== undefined && w > least(i) && (slack === -1 || w - least(i) > widths[slack]! - least(slack))) slack = i;
    });
    if (slack === -1) break;
    widths[slack] = Math.max(least(slack), widths[slack]! - (total() - available));
  }
  return widths;
}

/** An aligned table, one string per line. Cells are made safe here. `available`: width of the terminal, if it is one. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
  available = Number.POSITIVE_INFINITY,
): string[] {
  const texts = rows.map((row) => row.map((cell) => safe(cell.text)));
  const natural = columns.map((c, i) =>
    texts.reduce((most, row) => Math.max(most, width(row[i] ?? '')), width(c.title)),
  );
  const widths = fit(columns, natural, available);
  const line = (cells: readonly { text: string; colour?: Colour | undefined }[]): string => {
    const shown = cells.flatMap((cell, i) => (widths[i] === undefined ? [] : [{ ...cell, i }]));
    const parts = shown.map(({ text, colour, i }, nth) => {
      const fitted = cut(text, widths[i]!);
      const space = ' '.repeat(Math.max(0, widths[i]! - width(fitted)));
      if (columns[i]!.align === 'right') return space + paint(fitted, colour);
      return nth === shown.length - 1 ? paint(fitted, colour) : paint(fitted, colour) + space;
    });
    return parts.join(' '.repeat(gutter)).trimEnd();
  };
  const head = line(columns.map((c) => ({ text: c.title, colour: 'dim' })));
  return [head, ...texts.map((row, r) => line(row.map((text, i) => ({ text, colour: rows[r]![i]!.colour }))))];
}
