/**
 * Whether Go's `time.Parse` reads a text with a layout such as `2006-01-02 15:04` (https://pkg.go.dev/time#Layout). The
 * `timestamp` processor parses its test values when Filebeat starts.
 */

const MONTHS = 'January|February|March|April|May|June|July|August|September|October|November|December';
const DAYS = 'Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday';
const short = (names: string): string =>
  names
    .split('|')
    .map((name) => name.slice(0, 3))
    .join('|');

/** Elements of a layout with the texts that they match. Longer elements come before their prefixes. */
const ELEMENTS: readonly (readonly [element: string, pattern: string])[] = [
  ['January', `(?:${MONTHS})`],
  ['Jan(?![a-z])', `(?:${short(MONTHS)})`],
  ['Monday', `(?:${DAYS})`],
  ['Mon(?![a-z])', `(?:${short(DAYS)})`],
  ['MST', '(?:UTC|GMT(?:[+-]\\d{1,2})?|[A-Z]{3,5}|[+-]\\d{2})'],
  ['_?2006', '(?<year>\\d{4})'],
  ['Z07:00:00', '(?:Z|[+-]\\d{2}:\\d{2}:\\d{2})'],
  ['Z070000', '(?:Z|[+-]\\d{6})'],
  ['Z07:00', '(?:Z|[+-]\\d{2}:\\d{2})'],
  ['Z0700', '(?:Z|[+-]\\d{4})'],
  ['Z07', '(?:Z|[+-]\\d{2})'],
  ['-07:00:00', '[+-]\\d{2}:\\d{2}:\\d{2}'],
  ['-070000', '[+-]\\d{6}'],
  ['-07:00', '[+-]\\d{2}:\\d{2}'],
  ['-0700', '[+-]\\d{4}'],
  ['-07', '[+-]\\d{2}'],
  ['002', '(?:00[1-9]|0[1-9]\\d|[12]\\d\\d|3[0-5]\\d|36[0-6])'],
  ['__2', ' {0,2}\\d{1,3}'],
  ['_2', ' ?(?<day>0?[1-9]|[12]\\d|3[01])'],
  ['01', '(?<month>0[1-9]|1[0-2])'],
  ['02', '(?<day>0[1-9]|[12]\\d|3[01])'],
  ['03', '(?:0\\d|1[0-2])'],
  ['04', '[0-5]\\d'],
  // A fraction may follow the seconds even if the layout has none.
  ['05[.,](?:0+|9+)(?!\\d)', '[0-5]\\d(?:[.,]\\d+)?'],
  ['05', '[0-5]\\d(?:[.,]\\d+)?'],
  ['06', '\\d{2}'],
  ['15', '(?:[01]?\\d|2[0-3])'],
  ['PM', '[AP]M'],
  ['pm', '[ap]m'],
  ['1', '(?<month>1[0-2]|0?[1-9])'],
  ['2', '(?<day>[12]\\d|3[01]|0?[1-9])'],
  ['3', '(?:1[0-2]|0?\\d)'],
  ['4', '[0-5]?\\d'],
  ['5', '[0-5]?\\d(?:[.,]\\d+)?'],
];

const ANY_ELEMENT = new RegExp(ELEMENTS.map(([element]) => `(${element})`).join('|'), 'g');

/** Larger layouts are not checked. */
const LONGEST_LAYOUT = 500;
const MOST_ELEMENTS = 16;

/** `UNIX` and `UNIX_MS` read numbers. True also for layouts that are too large to check. */
export function readableTime(layout: string, value: string): boolean {
  if (layout === 'UNIX' || layout === 'UNIX_MS')
    return /^[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(value);
  const elements = [...layout.matchAll(ANY_ELEMENT)];
  // Many numbers without separators have too many readings to try.
  if (layout.length > LONGEST_LAYOUT || elements.length > MOST_ELEMENTS) return true;
  const used = new Set<string>();
  let pattern = '';
  let from = 0;
  for (const match of elements) {
    pattern += literal(layout.slice(from, match.index));
    const element = ELEMENTS[match.slice(1).findIndex((part) => part !== undefined)]![1];
    const name = /\(\?<\w+>/.exec(element)?.[0];
    // The name of a group may be used only once.
    pattern += name !== undefined && used.has(name) ? element.replace(name, '(?:') : element;
    if (name !== undefined) used.add(name);
    from = match.index + match[0].length;
  }
  const read = new RegExp(`^${pattern}${literal(layout.slice(from))}$`, 'i').exec(value);
  if (!read) return false;
  const { year = '2000', month, day } = read.groups ?? {};
  // Day 0 of the next month is the last of this one.
  return !month || !day || Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

/** Blanks in a layout match one or more blanks. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replace(/ +/g, ' +');
}
