/** Labelled facts, wrapped to the width of the terminal: the layout of `explain`. Pure. */
import { type Colour, type Paint, safe, wrap } from './terminal.js';

/** Label, text and its colour. A fact without text is omitted. */
export type Fact = readonly [label: string, text: string | undefined, colour?: Colour];

const labelWidth = 10;

/** `  label      text`, with the further lines of a text below its first. A repeated label is left blank. */
export function factLines(
  facts: readonly Fact[],
  indent: number,
  paint: Paint,
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const margin = ' '.repeat(indent);
  let last = '';
  return facts.flatMap(([label, text, colour]) => {
    if (text === undefined || text === '') return [];
    const shown = label === last ? '' : label;
    last = label;
    return wrap(safe(text), columns - indent - labelWidth - 1).map(
      (line, at) => `${margin}${paint((at === 0 ? shown : '').padEnd(labelWidth), 'dim')} ${paint(line, colour)}`,
    );
  });
}
