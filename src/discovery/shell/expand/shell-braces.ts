/** Brace expansion of bash: `{a,b}` and `{1..3}` (bash(1) "Brace Expansion"). */
import type { Word } from '../parser/shell-tree.js';

/** Expansions to more words than this are not followed. */
const maxWords = 1000;

/** The words that a word expands to; undefined where there are too many. Only braces in one unquoted part are expanded. */
export function expandedBraces(word: Word): Word[] | undefined {
  const waiting = [word];
  const expanded: Word[] = [];
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const alternatives = firstBraces(one);
    if (alternatives === undefined) expanded.push(one);
    else waiting.push(...alternatives.reverse());
    if (waiting.length + expanded.length > maxWords) return undefined;
  }
  return expanded;
}

/** The words that the first braces of a word stand for. */
function firstBraces(word: Word): Word[] | undefined {
  for (const [at, part] of word.entries()) {
    if (part.kind !== 'text' || part.quoted) continue;
    const found = /\{([^{}\s]*,[^{}\s]*|-?\d+\.\.-?\d+)\}/.exec(part.text);
    if (found === null) continue;
    const before = part.text.slice(0, found.index);
    const after = part.text.slice(found.index + found[0].length);
    return alternatives(found[1]!).map((text) => [
      ...word.slice(0, at),
      { ...part, text: before + text + after },
      ...word.slice(at + 1),
    ]);
  }
  return undefined;
}

function alternatives(inner: string): string[] {
  const range = /^(-?\d+)\.\.(-?\d+)$/.exec(inner);
  if (range === null) return inner.split(',');
  const from = Number(range[1]);
  const to = Number(range[2]);
  const count = Math.min(Math.abs(to - from), maxWords) + 1;
  return Array.from({ length: count }, (_, step) => String(from + (to < from ? -step : step)));
}
