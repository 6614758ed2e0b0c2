/**
 * Single YAML tokens by libyaml's rules (scannerc.go of gopkg.in/yaml.v2). Each function starts at the first character
 * of its token, moves the cursor past it, refuses what yaml.v2 refuses, and respells what js-yaml would read differently.
 */
import type { Cursor } from './yaml-cursor.js';

const wordCharacter = /[0-9A-Za-z_-]/;
const tag = /!(?:<[^\s>]*>|[0-9A-Za-z_;/?:@&=+$,.!~*'()[\]%-]*)/y;
const blockHeader = /[|>](?:[+-]([1-9])?|([1-9])[+-]?)?/y;
const escapes = '0abt\tnvfre "\'\\N_LP';
const hexDigits: Record<string, number> = { x: 2, u: 4, U: 8 };

/** `&name` or `*name`. */
export function skipAnchor(cursor: Cursor): void {
  const start = ++cursor.position;
  while (wordCharacter.test(cursor.at())) cursor.position++;
  if (cursor.position === start || !(cursor.isGap() || '?:,]}%@`'.includes(cursor.at()))) cursor.refuse();
  if (!cursor.isGap() && !',]}'.includes(cursor.at())) cursor.edit(cursor.position, 0, ' ');
}

/** `!name`, `!!name`, `!<uri>`. */
export function skipTag(cursor: Cursor): void {
  tag.lastIndex = cursor.position;
  cursor.position += tag.exec(cursor.text)?.[0].length ?? 1;
  if (!cursor.isGap()) cursor.refuse();
}

/** `|` or `>` with its lines. `indent`: of the enclosing block, -1 at the root. */
export function skipBlockScalar(cursor: Cursor, indent: number): void {
  blockHeader.lastIndex = cursor.position;
  const [header = '', after, before] = blockHeader.exec(cursor.text) ?? [];
  cursor.position += header.length;
  const step = Number(after ?? before ?? 0);
  while (cursor.isBlank()) cursor.position++;
  if (cursor.at() === '#') cursor.skipComment();
  if (!cursor.isGap()) cursor.refuse();
  if (cursor.isBreak()) cursor.nextLine();
  const contentColumn = skipBlockIndent(cursor, step > 0 ? Math.max(indent, 0) + step : 0, indent);
  while (cursor.column === contentColumn && cursor.at() !== '') {
    cursor.skipLineRest();
    if (cursor.isBreak()) cursor.nextLine();
    skipBlockIndent(cursor, contentColumn, indent);
  }
}

/** Skips blank lines and indentation; returns the column of the content. `contentColumn` = 0: the first line decides. */
function skipBlockIndent(cursor: Cursor, contentColumn: number, indent: number): number {
  let deepest = 0;
  for (;;) {
    while ((contentColumn === 0 || cursor.column < contentColumn) && cursor.at() === ' ') cursor.position++;
    deepest = Math.max(deepest, cursor.column);
    if ((contentColumn === 0 || cursor.column < contentColumn) && cursor.at() === '\t') cursor.refuse();
    if (!cursor.isBreak()) break;
    cursor.nextLine();
  }
  return contentColumn === 0 ? Math.max(deepest, indent + 1, 1) : contentColumn;
}

/** yaml.v2 allows continuation lines at any column; js-yaml wants them indented to `column` at least. */
export function skipQuotedScalar(cursor: Cursor, column: number): void {
  const quote = cursor.at();
  cursor.position++;
  for (;;) {
    const c = cursor.at();
    if (c === '' || cursor.atDocumentMark()) cursor.refuse();
    if (c === '\n') {
      cursor.nextLine();
      while (cursor.isBlank()) cursor.position++;
      if (!cursor.isBreak()) cursor.pad(column);
    } else if (quote === '"' && c === '\\') {
      if (cursor.isBreak(1)) cursor.position++;
      else skipEscape(cursor);
    } else if (c !== quote) cursor.position++;
    else if (quote === "'" && cursor.at(1) === quote) cursor.position += 2;
    else break;
  }
  cursor.position++;
}

function skipEscape(cursor: Cursor): void {
  const letter = cursor.at(1);
  const digits = hexDigits[letter];
  if (digits === undefined) {
    if (letter === '' || !escapes.includes(letter)) cursor.refuse();
    // Only yaml.v2 accepts \'.
    if (letter === "'") cursor.edit(cursor.position, 1, '');
    cursor.position += 2;
    return;
  }
  const hex = cursor.text.slice(cursor.position + 2, cursor.position + 2 + digits);
  const code = hex.length === digits && /^[0-9A-Fa-f]+$/.test(hex) ? Number.parseInt(hex, 16) : Number.NaN;
  if (!(code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) cursor.refuse();
  cursor.position += 2 + digits;
}

export interface PlainContext {
  /** Of the enclosing block. */
  indent: number;
  /** Inside brackets: js-yaml wants continuation lines indented to this column at least. */
  flowColumn: number | undefined;
  /** Within brackets a colon inside the scalar is an error (Filebeat 6.8). */
  flowColonFatal: boolean;
}

/** Text without quotes, and the blanks and line breaks after it. True if a line break came last. */
export function skipPlainScalar(cursor: Cursor, { indent, flowColumn, flowColonFatal }: PlainContext): boolean {
  const inFlow = flowColumn !== undefined;
  const start = cursor.position;
  let last = start;
  let respell = inFlow && cursor.at() === '-' && ',[]{}'.includes(cursor.at(1));
  let broken = false;
  while (!cursor.atDocumentMark() && cursor.at() !== '#') {
    while (!cursor.isGap()) {
      const c = cursor.at();
      if (c === ':') {
        if (cursor.isGap(1)) break;
        if (inFlow && flowColonFatal) cursor.refuse();
        // yaml.v2 reads it as text, js-yaml as the end of a key.
        respell ||= inFlow && ',[]{}'.includes(cursor.at(1));
      }
      if (inFlow && ',?[]{}'.includes(c)) break;
      last = ++cursor.position;
      broken = false;
    }
    if (!cursor.isGap() || cursor.at() === '') break;
    while (cursor.isBlank() || cursor.isBreak()) {
      if (broken && cursor.column <= indent && cursor.at() === '\t') cursor.refuse();
      if (cursor.isBreak()) {
        cursor.nextLine();
        broken = true;
      } else cursor.position++;
    }
    if (!inFlow && cursor.column <= indent) break;
    if (inFlow && cursor.at() !== '') cursor.pad(flowColumn);
  }
  const spelled = cursor.text.slice(start, last);
  if (respell && !spelled.includes('\n')) cursor.edit(start, spelled.length, `'${spelled.replaceAll("'", "''")}'`);
  return broken;
}
