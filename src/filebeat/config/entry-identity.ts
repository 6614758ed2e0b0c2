/** Filebeat's identity of an entry of an included file: two entries with equal settings run once. */
import { isGoFloat, type Plain, plainMap } from '../tree/value.js';

/** Equal for entries that Filebeat considers the same: keys in any order, keys without a value left out. */
export function entryIdentity(entry: Plain): string {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry) || isGoFloat(entry)) return canonical(entry);
  const map = plainMap();
  for (const [key, value] of Object.entries(entry)) if (value !== null) map[key] = value;
  return canonical(map);
}

function canonical(value: Plain): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isGoFloat(value)) return `f${value.float}`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key]!)}`).join(',')}}`;
}
