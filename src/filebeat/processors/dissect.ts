/** The `tokenizer` of the `dissect` processor, checked as in Filebeat's libbeat/processors/dissect. */

const KEYS = /%\{([^}]*?)\}/gs;
/** Name, order (`/2`), length (`#4`), greedy (`->`), type (`|integer`). */
const PARTS = /^(.+?)(?:\/(\d{1,2}))?(?:#(\d{1,2}))?(->)?(\|([A-Za-z]*)?)?$/;
const TYPES = new Set(['integer', 'long', 'float', 'double', 'string', 'boolean', 'ip']);

/** Requires at least one key, only valid keys, and a `%{*name}` or `%{?name}` for every `%{&name}`. */
export function validTokenizer(tokenizer: string): boolean {
  // There is no key after the last brace; searching there would be quadratic in the number of `%{`.
  const keys = [...tokenizer.slice(0, tokenizer.lastIndexOf('}') + 1).matchAll(KEYS)].map(([, key]) => key!);
  if (keys.length === 0) return false;
  const pointers = new Set<string>();
  const values = new Set<string>();
  for (const key of keys) {
    if (key === '') continue;
    const parts = PARTS.exec(key);
    if (!parts || key.endsWith('|')) return false;
    const [, name = '', , , , , type] = parts;
    if (type !== undefined && type !== '' && !TYPES.has(type)) return false;
    if (name.startsWith('+&') || name.startsWith('&+')) return false;
    if (/^[*?]/.test(name)) pointers.add(name.slice(1));
    if (name.startsWith('&')) values.add(name.slice(1));
  }
  return [...values].every((name) => pointers.has(name));
}
