/** The `tokenizer` of the `dissect` processor, checked as in Filebeat's libbeat/processors/dissect. */

const KEYS = /%\{([^}]*?)\}/gs;
/** Name, place (`/2`), length (`#4`), greedy (`->`), type (`|integer`). */
const PARTS = /^(.+?)(?:\/(\d{1,2}))?(?:#(\d{1,2}))?(->)?(\|([A-Za-z]*)?)?$/;
const TYPES = new Set(['integer', 'long', 'float', 'double', 'string', 'boolean', 'ip']);

/** At least one key, each of them well formed, and every `%{&name}` with a `%{*name}` or `%{?name}` to go by. */
export function validTokenizer(tokenizer: string): boolean {
  // Behind the last brace there is no key, and looking for its end would begin anew at every `%{`.
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
