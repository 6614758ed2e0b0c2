/** Values as Go prints them: fmt's verbs such as `%v`, strconv.Quote, encoding/json without HTML escapes. */
import { formatFloat } from '../tree/go-number.js';
import { isGoFloat, type Plain } from '../tree/value.js';

/** `fmt.Sprint` of one value; null is `<nil>`, as inside lists and maps. */
export function goPrint(value: Plain): string {
  if (value === null) return '<nil>';
  if (typeof value !== 'object') return String(value);
  if (isGoFloat(value)) return formatFloat(value.float);
  if (Array.isArray(value)) return `[${value.map(goPrint).join(' ')}]`;
  return `map[${sortedEntries(value)
    .map(([key, item]) => `${key}:${goPrint(item)}`)
    .join(' ')}]`;
}

function sortedEntries(map: { [key: string]: Plain }): [string, Plain][] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** `json.Encoder`, with its line break at the end. Undefined for what JSON cannot express (NaN). */
export function goJson(value: Plain): string | undefined {
  const text = json(value);
  return text === undefined ? undefined : `${text}\n`;
}

function json(value: Plain): string | undefined {
  if (typeof value === 'bigint') return String(value);
  if (value === null || typeof value !== 'object')
    return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  if (isGoFloat(value)) return Number.isFinite(value.float) ? String(value.float) : undefined;
  const parts = Array.isArray(value)
    ? value.map(json)
    : sortedEntries(value).map(([key, item]) => {
        const text = json(item);
        return text === undefined ? undefined : `${JSON.stringify(key)}:${text}`;
      });
  if (parts.includes(undefined)) return undefined;
  return Array.isArray(value) ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
}

function goQuote(text: string): string {
  const escaped = JSON.stringify(text).replace(/\\u00([01][0-9a-f])/g, '\\x$1');
  return escaped
    .replaceAll('\x7f', '\\x7f')
    .replace(/[\u0080-\u00a0\u00ad\u2028\u2029\ufeff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function typeName(value: Plain): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (value === null) return '<nil>';
  if (typeof value !== 'object') return 'int64';
  if (isGoFloat(value)) return 'float64';
  return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}';
}

/** `fmt.Sprintf` with the verbs v s q d t x, without widths; undefined for other verbs. */
export function goFormat(format: string, values: readonly Plain[]): string | undefined {
  let next = 0;
  let known = true;
  const text = format.replace(/%(.?)/gs, (_, verb: string) => {
    if (verb === '%') return '%';
    if (!'vsqdtx'.includes(verb) || verb === '') {
      known = false;
      return '';
    }
    if (next >= values.length) return `%!${verb}(MISSING)`;
    return formatOne(verb, values[next++]!);
  });
  if (!known) return undefined;
  const extra = values.slice(next).map((value) => `${typeName(value)}=${goPrint(value)}`);
  return extra.length > 0 ? `${text}%!(EXTRA ${extra.join(', ')})` : text;
}

function formatOne(verb: string, value: Plain): string {
  if (verb === 'v') return goPrint(value);
  const inner = (item: Plain) => (item === null ? '<nil>' : formatOne(verb, item));
  if (Array.isArray(value)) return `[${value.map(inner).join(' ')}]`;
  if (value !== null && typeof value === 'object' && !isGoFloat(value))
    return `map[${sortedEntries(value)
      .map(([key, item]) => `${formatOne(verb, key)}:${inner(item)}`)
      .join(' ')}]`;
  if (typeof value === 'string') {
    if (verb === 's') return value;
    if (verb === 'q') return goQuote(value);
    if (verb === 'x') return Buffer.from(value).toString('hex');
  }
  if (verb === 't' && typeof value === 'boolean') return String(value);
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (verb === 'd') return String(value);
    if (verb === 'x') return value.toString(16);
  }
  return value === null ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${goPrint(value)})`;
}
