/** A word of a shell as one text, or as the parts of a pattern (POSIX "2.6 Word Expansions"). Nothing is split. */
import { isKnown, unknown } from '../../launch/launch-context.js';
import type { Expansion, Part, Word } from '../parser/shell-tree.js';
import { copyState, ShellEnds, type ShellState, setVariable, unknownWords } from '../shell-state.js';
import { arithmetic, parameter } from './shell-parameters.js';
import { replaceMatches, type Segment, trimText } from './shell-pattern.js';

/** `words`: the elements of `$@`, `$*` or an array. */
export interface Value {
  text: string;
  words?: string[];
  /** `$*` within quotes is one word. */
  joined?: boolean;
}

/** The value of a part; it contains `unknown` where files do not tell it. */
export function valueOfPart(part: Part, state: ShellState): Value {
  switch (part.kind) {
    case 'text':
      return { text: part.text };
    case 'unsupported':
      return { text: unknown };
    case 'command':
      return { text: substitution(part, state) };
    case 'arithmetic':
      return { text: arithmetic(expandText(part.text, state), state) };
    case 'variable':
      return expand(part.variable, state);
  }
}

function substitution(part: Extract<Part, { kind: 'command' }>, state: ShellState): string {
  const inner = copyState(state);
  inner.output = { text: '' };
  inner.errexitSuspended = 0;
  const flow = state.run(part.script, inner);
  // In dash `$?` still has its earlier value within the same command.
  if (state.dialect === 'bash') state.status = inner.status;
  state.substitution = { status: inner.status };
  if (flow.kind === 'never-returns' && inner.output.text === '') return unknown;
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
  const { operator } = variable;
  const list = elements(variable, state);
  if (variable.length) return { text: lengthOf(variable, list, state) };
  const isStar = variable.name === '*' || (variable.index !== undefined && expandText(variable.index, state) === '*');
  const value = list === undefined ? element(variable, state) : list.length === 0 ? undefined : list.join(' ');
  const asIs: Value = { text: value ?? '', ...(list === undefined ? {} : { words: list, joined: isStar }) };
  if (operator === undefined) {
    if (value === undefined && list === undefined && state.options.nounset) throw new ShellEnds();
    return asIs;
  }
  if (/^:?[-=?+]$/.test(operator)) return withDefault(variable, value, asIs, state);
  const change = (text: string) => (isKnown(text) ? changedText(text, variable, state) : unknown);
  if (list === undefined) return { text: change(value ?? '') };
  if (operator === ':') return slice(list, variable, state);
  return { text: '', words: list.map(change), joined: isStar };
}

function lengthOf(variable: Expansion, list: string[] | undefined, state: ShellState): string {
  if (list !== undefined) return list.includes(unknownWords) ? unknown : String(list.length);
  const text = element(variable, state) ?? '';
  return isKnown(text) ? String([...text].length) : unknown;
}

/** `${name:-word}`, `${name=word}`, `${name:?word}`, `${name+word}`. */
function withDefault(variable: Expansion, value: string | undefined, asIs: Value, state: ShellState): Value {
  const { operator = '', operand = [] } = variable;
  const isColon = operator.length === 2;
  const mayBeEmpty = value !== undefined && !isKnown(value) && value.replaceAll(unknown, '') === '';
  if (value === unknown || (isColon && mayBeEmpty)) return { text: unknown };
  const isSet = value !== undefined && !(isColon && value === '');
  if (operator.endsWith('+')) return isSet ? operandValue(operand, state) : { text: '' };
  if (isSet) return asIs;
  if (operator.endsWith('?')) throw new ShellEnds();
  if (!operator.endsWith('=')) return operandValue(operand, state);
  const text = expandText(operand, state);
  setVariable(state, variable.name, text);
  return { text };
}

/** `${V:-$@}` is as many words as `$@`. */
function operandValue(operand: Word, state: ShellState): Value {
  const [only] = operand;
  if (operand.length === 1 && only?.kind === 'variable') return expand(only.variable, state);
  return { text: expandText(operand, state) };
}

function slice(list: string[], variable: Expansion, state: ShellState): Value {
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

function changedText(text: string, variable: Expansion, state: ShellState): string {
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
    return replaceMatches(text, segments, replacement, operator === '//') ?? unknown;
  }
  return trimText(text, segments, operator);
}

/** A word as one text, as in assignments, quotes and here-documents. */
export function expandText(word: Word, state: ShellState): string {
  return segmentsOf(word, state)
    .map(({ text }) => text)
    .join('');
}

/** A word as a pattern, in which quoted text is literal. */
export function segmentsOf(word: Word, state: ShellState): Segment[] {
  return word.map((part, at) => {
    const value = valueOfPart(part, state);
    const text = at === 0 && part.kind === 'text' && !part.quoted ? withHome(value.text, state) : value.text;
    return { text: value.words === undefined ? text : value.words.join(' '), quoted: part.quoted };
  });
}

/** Expands an unquoted `~` or `~/x`. */
export function withHome(text: string, state: ShellState): string {
  const found = /^~([^/:]*)(?=[/:]|$)/.exec(text);
  if (found === null) return text;
  const home = found[1] === '' ? parameter('HOME', state) : undefined;
  return home === undefined ? (found[1] === '' ? text : unknown) : home + text.slice(found[0].length);
}
