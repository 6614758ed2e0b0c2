/** IP addresses as Go's `netip.ParseAddr` parses them, in the spelling that the readers of `/proc/net` use. */

export interface Address {
  family: 4 | 6;
  /** Canonical: dotted for IPv4 (and IPv4-mapped IPv6), RFC 5952 for IPv6. */
  text: string;
  /** Interface name of an IPv6 address. */
  zone?: string;
}

/** Undefined for anything else, including leading zeros, short forms (`127.1`) and brackets. */
export function parseAddress(text: string): Address | undefined {
  if (!text.includes(':')) return parseIpv4(text) && { family: 4, text };
  const [bare = '', zone] = splitZone(text);
  if (zone === '') return undefined;
  const words = parseIpv6(bare);
  if (!words) return undefined;
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff)
    return {
      family: 4,
      text: words
        .slice(6)
        .flatMap((word) => [word >> 8, word & 0xff])
        .join('.'),
    };
  return { family: 6, text: formatIpv6(words), ...(zone === undefined ? {} : { zone }) };
}

function splitZone(text: string): [string, string | undefined] {
  const mark = text.indexOf('%');
  return mark < 0 ? [text, undefined] : [text.slice(0, mark), text.slice(mark + 1)];
}

function parseIpv4(text: string): number[] | undefined {
  if (!/^(?:(?:0|[1-9][0-9]{0,2})(?:\.|$)){4}$/.test(text) || text.endsWith('.')) return undefined;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const [head = '', tail, more] = text.split('::');
  if (more !== undefined) return undefined;
  const left = parseWords(head, tail === undefined);
  const right = tail === undefined ? [] : parseWords(tail, true);
  if (!left || !right) return undefined;
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  return [...left, ...Array<number>(missing).fill(0), ...right];
}

/** Hex words separated by colons. `isEnd`: the last one may be a dotted IPv4 address. */
function parseWords(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const words: number[] = [];
  for (const [index, part] of parts.entries()) {
    const dotted = isEnd && index === parts.length - 1 && part.includes('.') ? parseIpv4(part) : undefined;
    if (dotted) {
      const [a = 0, b = 0, c = 0, d = 0] = dotted;
      words.push(a * 256 + b, c * 256 + d);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) words.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return words;
}

/** Eight 16-bit words → RFC 5952 text. */
export function formatIpv6(words: readonly number[]): string {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = words.map((word) => word.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

export function isMulticast(address: Address): boolean {
  if (address.family === 6) return address.text.startsWith('ff') && address.text.indexOf(':') === 4;
  const first = Number(address.text.split('.', 1)[0]);
  return first >= 224 && first <= 239;
}
