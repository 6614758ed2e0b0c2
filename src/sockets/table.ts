/**
 * Parser of one line of `/proc/<pid>/net/{udp,udp6,tcp,tcp6}`; see proc(5) and net/ipv4/udp.c, udp4_format_sock.
 *
 *     sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 *   4995: 0100007F:238E 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1187448 2 0000000033901b43 0
 */
import type { Family, Protocol, Socket } from '../model/model.js';

/** One listening socket as a table row: a `Socket` without namespace and owners. */
export type SocketRow = Omit<Socket, 'netns' | 'owners' | 'ownersKnown'>;

/** Kernel states of a listener: TCP_CLOSE for an unconnected UDP socket, TCP_LISTEN for TCP. */
const LISTENING: Record<Protocol, string> = { udp: '07', tcp: '0A' };

/** Local address and port, state, receive queue, uid, inode and, of UDP, drops. */
const ROW =
  /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) [0-9A-F]+:([0-9A-F]{8}) \S+ \S+ +(\d{1,10}) +\d+ (\d{1,15}) \d+ \S+(?: (\d{1,15}))?/;

/** `other`: a socket that does not listen, or the line of titles. `bad`: could not be read. */
export type ParsedLine = SocketRow | 'other' | 'bad';

/** The parser of one line below the titles. `littleEndian` is the byte order of the host that wrote it. */
export function createLineParser(
  protocol: Protocol,
  family: Family,
  littleEndian = true,
): (line: string) => ParsedLine {
  const state = LISTENING[protocol];
  // Nearly every row has a wildcard or loopback address.
  const addresses = new Map<string, string | undefined>();
  const addressOf = (hex: string) => {
    if (!addresses.has(hex)) addresses.set(hex, decodeAddress(hex, family, littleEndian));
    return addresses.get(hex);
  };
  return (line) => {
    const fields = ROW.exec(line);
    if (fields === null) return 'bad';
    const [, hex = '', port = '', its, queue = '', uid, inode, drops] = fields;
    if (its !== state) return 'other';
    const address = addressOf(hex);
    if (address === undefined || (protocol === 'udp' && drops === undefined)) return 'bad';
    // A socket that is being closed has inode 0 and no holder.
    if (Number(inode) === 0) return 'other';
    return {
      protocol,
      family,
      address,
      port: Number.parseInt(port, 16),
      inode: Number(inode),
      uid: Number(uid),
      receiveQueue: Number.parseInt(queue, 16),
      drops: protocol === 'udp' ? Number(drops) : 0,
    };
  };
}

/** One or four 32-bit words in the host's byte order, as hex: `0100007F` is 127.0.0.1. */
export function decodeAddress(text: string, family: Family, littleEndian = true): string | undefined {
  if (text.length !== (family === 4 ? 8 : 32) || !/^[0-9A-F]+$/.test(text)) return undefined;
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    const at = littleEndian ? (index & ~3) + 3 - (index & 3) : index;
    bytes[at] = Number.parseInt(text.slice(index * 2, index * 2 + 2), 16);
  }
  return family === 4 ? bytes.join('.') : formatIPv6(bytes);
}

/** Canonical text (RFC 5952): the longest run of two or more zero groups, the first of equals, becomes `::`. */
export function formatIPv6(bytes: Uint8Array): string {
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2) groups.push((bytes[index]! << 8) | bytes[index + 1]!);
  // v4-mapped addresses are written with the IPv4 address in them (RFC 5952, 5).
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${bytes.subarray(12).join('.')}`;
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}
