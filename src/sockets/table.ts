/**
 * Parser of one `/proc/<pid>/net/{udp,udp6,tcp,tcp6}`; see proc(5) and net/ipv4/udp.c, udp4_format_sock.
 *
 *     sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 *   4995: 0100007F:238E 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1187448 2 0000000033901b43 0
 */
import type { Family, Protocol, Socket } from '../model/model.js';

/** One listening socket as a table row: a `Socket` without namespace and owners. */
export type SocketRow = Omit<Socket, 'netns' | 'owners' | 'ownersKnown'>;

export interface SocketTable {
  rows: SocketRow[];
  /** 1-based numbers of lines that could not be read. */
  badLines: number[];
}

/** Kernel states of a listener: TCP_CLOSE for an unconnected UDP socket, TCP_LISTEN for TCP. */
const LISTENING: Record<Protocol, string> = { udp: '07', tcp: '0A' };

/** Local address and port, state, receive queue, uid, inode and, of UDP, drops. */
const ROW =
  /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) [0-9A-F]+:([0-9A-F]{8}) \S+ \S+ +(\d{1,10}) +\d+ (\d{1,15}) \d+ \S+(?: (\d{1,15}))?/;

/**
 * Listeners only: unconnected UDP sockets and TCP sockets in LISTEN, one row per inode (the table may repeat a row
 * while it changes). `littleEndian` is the byte order of the host that wrote it.
 */
export function parseSocketTable(text: string, protocol: Protocol, family: Family, littleEndian = true): SocketTable {
  const table: SocketTable = { rows: [], badLines: [] };
  const seen = new Set<number>();
  const state = LISTENING[protocol];
  // Nearly every row has a wildcard or loopback address.
  const addresses = new Map<string, string | undefined>();
  let number = 0;
  for (let from = 0; from < text.length; ) {
    let to = text.indexOf('\n', from);
    if (to < 0) to = text.length;
    number++;
    const line = text.slice(from, to);
    from = to + 1;
    if (number === 1 || line === '') continue;
    const fields = ROW.exec(line);
    if (fields === null) {
      table.badLines.push(number);
      continue;
    }
    const [, hex = '', port = '', its, queue = '', uid, inodeText, drops] = fields;
    if (its !== state) continue;
    let address = addresses.get(hex);
    if (address === undefined) {
      address = decodeAddress(hex, family, littleEndian);
      addresses.set(hex, address);
    }
    if (address === undefined || (protocol === 'udp' && drops === undefined)) {
      table.badLines.push(number);
      continue;
    }
    const inode = Number(inodeText);
    // A socket that is being closed has inode 0 and no holder.
    if (inode === 0 || seen.has(inode)) continue;
    seen.add(inode);
    table.rows.push({
      protocol,
      family,
      address,
      port: Number.parseInt(port, 16),
      inode,
      uid: Number(uid),
      receiveQueue: Number.parseInt(queue, 16),
      drops: protocol === 'udp' ? Number(drops) : 0,
    });
  }
  return table;
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
