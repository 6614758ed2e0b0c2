/** Words of a shell → what a command is given (POSIX "2.6 Word Expansions"). What cannot be told is `unknown`. */
import { absolute, isKnown, unknown } from '../launch/launch-world.js';
import { reckon } from './shell-arithmetic.js';
import { listMatches } from './shell-files.js';
import { hasPattern, patternSource, type Segment } from './shell-pattern.js';
import { copyState, ShellEnds, type ShellState, setVariable } from './shell-state.js';
import type { Expansion, Part, Word } from './shell-syntax.js';

/** A whole word that may become any number of words. */
export const unknownWords = `${unknown}*`;

/** Set by login or service managers to what is known, whatever else may be set. */
const settled = new Set(['PATH', 'HOME', 'USER']);

/** Value of a parameter; undefined where it is not set. */
export function parameter(name: string, state: ShellState): string | undefined {
  if (/^\d+$/.test(name)) {
    if (name === '0') return state.name;
    return state.argsUnknown ? unknown : state.args[Number(name) - 1];
  }
  switch (name) {
    case '#':
      return state.argsUnknown ? unknown : String(state.args.length);
    case '@':
    case '*':
      return state.argsUnknown ? unknown : state.args.length === 0 ? undefined : state.args.join(' ');
    case '?':
      return state.status === undefined ? unknown : String(state.status);
    case '$':
    case '!':
    case '-':
      return unknown;
  }
  const variable = state.variables.get(name);
  if (variable !== undefined) return variable.list === undefined ? variable.text : variable.list[0];
  if (['RANDOM', 'SECONDS', 'LINENO', 'PPID', 'UID', 'EUID', 'HOSTNAME', 'OSTYPE', 'HOSTTYPE'].includes(name)) {
    return state.dialect === 'bash' || name === 'PPID' || name === 'LINENO' ? unknown : undefined;
  }
  if (name === 'PWD') return state.cwd;
  if (state.dialect === 'bash' && name === 'BASH_SOURCE') return state.name;
  return state.open && !settled.has(name) ? unknown : undefined;
}

/** `words`: one for each element, of `$@`, `$*` and arrays. */
interface Value {
  text: string;
  words?: string[];
  /** `$*` within quotes is one word. */
  joined?: boolean;
}

function valueOfPart(part: Part, state: ShellState): Value {
  switch (part.kind) {
    case 'text':
      return { text: part.text };
    case 'odd':
      return { text: unknown };
    case 'command':
      return { text: substitution(part, state) };
    case 'arithmetic':
      return { text: arithmetic(expandText(part.text, state), state) };
    case 'variable':
      return expand(part.variable, state);
  }
}

export function arithmetic(text: string, state: ShellState): string {
  if (!isKnown(text) || text.length > 200) return unknown;
  const value = reckon(text, numbersOf(state), unknown);
  return value === undefined ? unknown : String(value);
}

export function numbersOf(state: ShellState) {
  return {
    read: (name: string) => parameter(name, state),
    write: (name: string, value: string) => setVariable(state, name, value),
  };
}

function substitution(part: Extract<Part, { kind: 'command' }>, state: ShellState): string {
  const inner = copyState(state);
  inner.output = { text: '' };
  inner.guarded = 0;
  const flow = state.run(part.script, inner);
  // In dash `$?` within the same command is still what it was before it.
  if (state.dialect === 'bash') state.status = inner.status;
  state.substituted = { status: inner.status };
  if (flow.kind === 'gone' && inner.output.text === '') return unknown;
  return inner.output.text.replace(/\n+$/, '');
}

function elements(variable: Expansion, state: ShellState): string[] | undefined {
  const { name, index } = variable;
  if (name === '@' || name === '*') return state.argsUnknown ? [unknownWords] : [...state.args];
  const which = index === undefined ? undefined : expandText(index, state);
  if (which !== '@' && which !== '*') return undefined;
  const known = state.variables.get(name);
  return known === undefined ? [] : (known.list ?? [known.text]);
}

function element(variable: Expansion, state: ShellState): string | undefined {
  if (variable.index === undefined) return parameter(variable.name, state);
  const at = arithmetic(expandText(variable.index, state), state);
  const known = state.variables.get(variable.name);
  if (!isKnown(at)) return unknown;
  return known?.list === undefined ? (at === '0' ? known?.text : undefined) : known.list.at(Number(at));
}

function expand(variable: Expansion, state: ShellState): Value {
  const { operator, operand = [] } = variable;
  const list = elements(variable, state);
  const isStar = variable.name === '*' || (variable.index !== undefined && expandText(variable.index, state) === '*');
  if (variable.length) {
    if (list !== undefined) return { text: list.includes(unknownWords) ? unknown : String(list.length) };
    const text = element(variable, state) ?? '';
    return { text: isKnown(text) ? String([...text].length) : unknown };
  }
  const value = list === undefined ? element(variable, state) : list.length === 0 ? undefined : list.join(' ');
  const asIs: Value = { text: value ?? '', ...(list === undefined ? {} : { words: list, joined: isStar }) };
  if (operator === undefined) {
    if (value === undefined && list === undefined && state.options.nounset) throw new ShellEnds();
    return asIs;
  }
  if (/^:?[-=?+]$/.test(operator)) {
    const isColon = operator.length === 2;
    if (value !== undefined && !isKnown(value) && isColon && value.replaceAll(unknown, '') === '')
      return { text: unknown };
    if (value === unknown) return { text: unknown };
    const isSet = value !== undefined && !(isColon && value === '');
    if (operator.endsWith('+')) return isSet ? operandValue(operand, state) : { text: '' };
    if (isSet) return asIs;
    if (operator.endsWith('?')) throw new ShellEnds();
    if (!operator.endsWith('=')) return operandValue(operand, state);
    const text = expandText(operand, state);
    setVariable(state, variable.name, text);
    return { text };
  }
  const change = (text: string) => (isKnown(text) ? changed(text, variable, state) : unknown);
  if (list !== undefined) {
    if (operator === ':') return sliced(list, variable, state);
    return { text: '', words: list.map(change), joined: isStar };
  }
  return { text: change(value ?? '') };
}

/** `${V:-$@}` is as many words as `$@`. */
function operandValue(operand: Word, state: ShellState): Value {
  const [only] = operand;
  if (operand.length === 1 && only?.kind === 'variable') return expand(only.variable, state);
  return { text: expandText(operand, state) };
}

function sliced(list: string[], variable: Expansion, state: ShellState): Value {
  const range = rangeOf(variable, state);
  if (range === undefined || list.includes(unknownWords)) return { text: unknown, words: [unknownWords] };
  const all = variable.name === '@' || variable.name === '*' ? [state.name, ...list] : list;
  const from = range.from < 0 ? Math.max(0, all.length + range.from) : range.from;
  const words = all.slice(from, range.length === undefined ? undefined : from + range.length);
  return { text: words.join(' '), words };
}

function rangeOf({ operand = [] }: Expansion, state: ShellState): { from: number; length?: number } | undefined {
  const parts = expandText(operand, state).split(':');
  const [from, length] = parts.map((part) => Number(arithmetic(part, state)));
  if (parts.length > 2 || from === undefined || Number.isNaN(from)) return undefined;
  if (length === undefined) return { from };
  return Number.isNaN(length) || length < 0 ? undefined : { from, length };
}

function changed(text: string, variable: Expansion, state: ShellState): string {
  const operator = variable.operator!;
  if (operator === '^^') return text.toUpperCase();
  if (operator === ',,') return text.toLowerCase();
  if (operator === ':') {
    const range = rangeOf(variable, state);
    if (range === undefined) return unknown;
    const from = range.from < 0 ? text.length + range.from : range.from;
    return from < 0 ? '' : text.slice(from, range.length === undefined ? undefined : from + range.length);
  }
  const segments = segmentsOf(variable.operand ?? [], state);
  if (segments.some((one) => !isKnown(one.text))) return unknown;
  if (operator.startsWith('/')) {
    if (segments.every((one) => one.text === '')) return text;
    const replacement = expandText(variable.replacement ?? [], state);
    if (!isKnown(replacement) || /^[#%]/.test(segments[0]!.text)) return unknown;
    return text.replace(new RegExp(patternSource(segments), operator === '//' ? 'gu' : 'u'), () => replacement);
  }
  return trimmed(text, segments, operator);
}

/** `#`, `##`, `%`, `%%`: the shortest or longest beginning or end that matches goes. */
function trimmed(text: string, segments: readonly Segment[], operator: string): string {
  const whole = new RegExp(`^(?:${patternSource(segments)})$`, 'u');
  const isLong = operator.length === 2;
  const isEnd = operator.startsWith('%');
  for (let step = 0; step <= text.length; step += 1) {
    const size = isLong ? text.length - step : step;
    const piece = isEnd ? text.slice(text.length - size) : text.slice(0, size);
    if (whole.test(piece)) return isEnd ? text.slice(0, text.length - size) : text.slice(size);
  }
  return text;
}

/** As one text: assignments, quotes, here-documents. Nothing is split. */
export function expandText(word: Word, state: ShellState): string {
  return segmentsOf(word, state)
    .map(({ text }) => text)
    .join('');
}

/** For patterns: what was quoted stands for itself. */
export function segmentsOf(word: Word, state: ShellState): Segment[] {
  return word.map((part, at) => {
    const value = valueOfPart(part, state);
    const text = at === 0 && part.kind === 'text' && !part.quoted ? withHome(value.text, state) : value.text;
    return { text: value.words === undefined ? text : value.words.join(' '), quoted: part.quoted };
  });
}

/** `~` and `~/x`, where nothing is quoted. */
function withHome(text: string, state: ShellState): string {
  const found = /^~([^/:]*)(?=[/:]|$)/.exec(text);
  if (found === null) return text;
  const home = found[1] === '' ? parameter('HOME', state) : undefined;
  return home === undefined ? (found[1] === '' ? text : unknown) : home + text.slice(found[0].length);
}

/** All words of a command, split at blanks and matched against files. */
export function expandWords(words: readonly Word[], state: ShellState): string[] {
  const inBash = state.dialect === 'bash';
  return words.flatMap((word) => (inBash ? braced(word) : [word])).flatMap((word) => fields(word, state));
}

function fields(word: Word, state: ShellState): string[] {
  const done: Segment[][] = [];
  let current: Segment[] | undefined;
  const add = (text: string, quoted: boolean) => {
    current ??= [];
    current.push({ text, quoted });
  };
  const cut = () => {
    if (current !== undefined) done.push(current);
    current = undefined;
  };
  for (const [at, part] of word.entries()) {
    const value = valueOfPart(part, state);
    const splits = !part.quoted && part.kind !== 'text';
    if (part.quoted && value.words !== undefined && !value.joined) {
      // "$@" is as many words as there are arguments, and none where there are none.
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
  return done.flatMap((segments) => {
    const text = segments.map((one) => one.text).join('');
    if (state.options.noglob || !hasPattern(segments)) return [text];
    if (!isKnown(text) || !isKnown(state.cwd)) return [unknownWords];
    const found = listMatches(segments, state);
    return found === undefined ? [unknownWords] : found.length === 0 ? [text] : found;
  });
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

/** At the characters of `IFS`; undefined where that is not known. */
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

/** `{a,b}` and `{1..3}` of bash, where all of it stands in one unquoted piece of text. */
function braced(word: Word): Word[] {
  for (const [at, part] of word.entries()) {
    if (part.kind !== 'text' || part.quoted) continue;
    const found = /\{([^{}\s]*,[^{}\s]*|-?\d+\.\.-?\d+)\}/.exec(part.text);
    if (found === null) continue;
    const around = (text: string): Word => [
      ...word.slice(0, at),
      { ...part, text: part.text.slice(0, found.index) + text + part.text.slice(found.index + found[0].length) },
      ...word.slice(at + 1),
    ];
    return alternatives(found[1]!).flatMap((text) => braced(around(text)));
  }
  return [word];
}

function alternatives(inner: string): string[] {
  const range = /^(-?\d+)\.\.(-?\d+)$/.exec(inner);
  if (range === null) return inner.split(',');
  const from = Number(range[1]);
  const to = Number(range[2]);
  const count = Math.min(Math.abs(to - from), 1000) + 1;
  return Array.from({ length: count }, (_, step) => String(from + (to < from ? -step : step)));
}

export function pathOf(word: Word, state: ShellState): string {
  return absolute(expandText(word, state), state.cwd);
}
