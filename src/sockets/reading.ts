/** One reading of the socket tables of a network namespace, through one of the processes in it. */
import { endianness } from 'node:os';
import type { Family, Gap, ProcessId, Protocol } from '../model/model.js';
import { type ProcFs, statOf } from '../proc/proc-fs.js';
import { parseSocketTable, type SocketTable } from './parsed-table.js';
import type { Rows } from './row-set.js';

/** The process whose tables are read: `self` always exists; another pid must still be the same process afterwards. */
export type Via = { path: string; process?: ProcessId };

export interface TableReading {
  tables: Rows[];
  /** Protocols with a table that exists but could not be read. */
  unread: Protocol[];
  /** Protocols whose tables arrived in one read(2) each. Rows can be missed only where the kernel has to resume. */
  whole: Protocol[];
  gaps: Gap[];
}

const LITTLE_ENDIAN = endianness() === 'LE';
/** Bytes; rows have 128 to 190. */
const LONGEST_ROW = 512;
const TABLES: Record<Protocol, [path: string, family: Family][]> = {
  udp: [
    ['udp', 4],
    ['udp6', 6],
  ],
  tcp: [
    ['tcp', 4],
    ['tcp6', 6],
  ],
};

/** The last reading of each table of a namespace, by name: `udp6`. */
export type LastTables = Map<string, SocketTable>;

/**
 * Undefined: the process of `via` is gone, so the tables may be of another namespace. `last`: what did not change since stays the
 * same object; this reading is added to it.
 */
export function readTables(
  procfs: ProcFs,
  via: Via,
  protocols: readonly Protocol[],
  last: LastTables = new Map(),
): TableReading | undefined {
  const reading: TableReading = { tables: [], unread: [], whole: [], gaps: [] };
  for (const protocol of protocols) {
    let pieces = 0;
    let unread = false;
    for (const [table, family] of TABLES[protocol]) {
      let here = 0;
      const path = `${via.path}/net/${table}`;
      const before = last.get(table);
      const contents = procfs.contents(path, before?.bytes, (bytes, length, got) => {
        here++;
        return isLast(got) || (protocol === 'tcp' && pastListeners(bytes, length));
      });
      pieces = Math.max(pieces, here);
      if (contents.ok) {
        const parsed = parseSocketTable(contents.value, protocol, family, { before, littleEndian: LITTLE_ENDIAN });
        last.set(table, parsed);
        reading.tables.push(parsed);
        if (parsed.badLines.length > 0)
          reading.gaps.push({ reason: 'malformed', subject: `/proc/${path}`, detail: lines(parsed.badLines) });
      } else if (contents.gap.reason !== 'vanished' && contents.gap.reason !== 'missing') {
        // A missing table means a kernel without that address family.
        unread = true;
        reading.gaps.push(contents.gap);
      }
    }
    if (unread) reading.unread.push(protocol);
    else if (pieces <= 1) reading.whole.push(protocol);
  }
  const { process } = via;
  const isSame = process === undefined || statOf(procfs, process.pid)?.startTicks === process.startTicks;
  return isSame ? reading : undefined;
}

/**
 * The kernel fills at least 4 KiB (seq_file's page) per read unless no rows are left. A final read that returns nothing
 * would walk the whole hash table once more, half of the cost of a reading, so a short read ends it.
 */
function isLast(got: number): boolean {
  return got + LONGEST_ROW < 4096;
}

/** The kernel lists TCP listeners first; busy hosts have 100,000 connections after them. */
function pastListeners(bytes: Buffer, length: number): boolean {
  const end = bytes.lastIndexOf(10, length - 1);
  const start = end < 1 ? -1 : bytes.lastIndexOf(10, end - 1);
  if (start < 0) return false;
  const state = bytes
    .toString('latin1', start + 1, end)
    .trim()
    .split(/ +/, 4)[3];
  return state !== undefined && /^[0-9A-F]{2}$/.test(state) && state !== '0A';
}

function lines(numbers: readonly number[]): string {
  const some = numbers.slice(0, 5).join(', ');
  return numbers.length > 5 ? `lines ${some} and ${numbers.length - 5} more` : `line ${some}`;
}
