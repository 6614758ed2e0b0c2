/** Words of a command → its arguments: split at `IFS` and matched against files (POSIX "2.6.5 Field Splitting"). */
import { isKnown, unknown } from '../../launch/launch-context.js';
import type { Word } from '../parser/shell-tree.js';
import { type ShellState, unknownWords } from '../shell-state.js';
import { expandedBraces } from './shell-braces.js';
import { valueOfPart, withHome } from './shell-expand.js';
import { listMatches } from './shell-files.js';
import { hasPattern, type Segment } from './shell-pattern.js';

/** The arguments that words expand to; `unknownWords` among them stands for any number. */
export function expandWords(words: readonly Word[], state: ShellState): string[] {
  if (state.dialect !== 'bash') return words.flatMap((word) => fields(word, state));
  return words.flatMap((word) => expandedBraces(word)?.flatMap((one) => fields(one, state)) ?? [unknownWords]);
}

function fields(word: Word, state: ShellState): string[] {
  const finished: Segment[][] = [];
  let current: Segment[] | undefined;
  const add = (text: string, quoted: boolean) => {
    current ??= [];
    current.push({ text, quoted });
  };
  const cut = () => {
    if (current !== undefined) finished.push(current);
    current = undefined;
  };
  for (const [at, part] of word.entries()) {
    const value = valueOfPart(part, state);
    const splits = !part.quoted && part.kind !== 'text';
    if (part.quoted && value.words !== undefined && !value.joined) {
      // "$@" becomes one word for each argument.
      for (const [index, text] of value.words.entries()) {
        if (index > 0) cut();
        add(text, true);
      }
    } else if (!splits) {
      const text = value.words === undefined ? value.text : value.words.join(separatorOf(state));
      add(part.quoted || at > 0 ? text : withHome(text, state), part.quoted);
    } else if (value.words !== undefined) {
      for (const [index, text] of value.words.entries()) {
        if (index > 0) cut();
        split(text, state, add, cut);
      }
    } else if (value.text === unknown && word.length === 1) {
      add(unknownWords, true);
    } else {
      split(value.text, state, add, cut);
    }
  }
  cut();
  return finished.flatMap((segments) => pathsOf(segments, state));
}

/** Pathname expansion: the files that a pattern matches, or the pattern itself. */
function pathsOf(segments: Segment[], state: ShellState): string[] {
  const text = segments.map((one) => one.text).join('');
  if (state.options.noglob || !hasPattern(segments)) return [text];
  if (!isKnown(text) || !isKnown(state.cwd)) return [unknownWords];
  const found = listMatches(segments, state);
  return found === undefined ? [unknownWords] : found.length === 0 ? [text] : found;
}

function separatorOf(state: ShellState): string {
  const ifs = state.variables.get('IFS');
  return ifs === undefined ? ' ' : ifs.text.slice(0, 1);
}

function split(text: string, state: ShellState, add: (text: string, quoted: boolean) => void, cut: () => void): void {
  const pieces = splitFields(text, state);
  if (pieces === undefined) {
    add(unknown, false);
    return;
  }
  const ifs = state.variables.get('IFS')?.text ?? ' \t\n';
  const blanks = [...ifs].filter((char) => ' \t\n'.includes(char)).join('');
  if (blanks !== '' && blanks.includes(text[0] ?? 'x')) cut();
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) cut();
    add(piece, false);
  }
  if (text !== '' && ifs.includes(text.at(-1)!)) cut();
}

/** Splits a text at the characters of `IFS` into at most `most` fields; undefined where `IFS` is unknown. */
export function splitFields(text: string, state: ShellState, most = Number.POSITIVE_INFINITY): string[] | undefined {
  const ifs = state.variables.get('IFS')?.text ?? ' \t\n';
  if (!isKnown(ifs)) return undefined;
  const isBlank = (char: string) => ifs.includes(char) && ' \t\n'.includes(char);
  const found: string[] = [];
  let at = 0;
  while (at < text.length && isBlank(text[at]!)) at += 1;
  while (at < text.length) {
    if (found.length === most - 1) {
      let end = text.length;
      while (end > at && isBlank(text[end - 1]!)) end -= 1;
      found.push(text.slice(at, end));
      break;
    }
    const start = at;
    while (at < text.length && !ifs.includes(text[at]!)) at += 1;
    found.push(text.slice(start, at));
    while (at < text.length && isBlank(text[at]!)) at += 1;
    if (at < text.length && ifs.includes(text[at]!)) {
      at += 1;
      while (at < text.length && isBlank(text[at]!)) at += 1;
    }
  }
  return found;
}
