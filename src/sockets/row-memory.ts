/**
 * Caches TCP listeners so that their tables need not be read on every pass: after the listeners the kernel walks the hash
 * of all connections, 262,144 slots, 1.7 ms per table however few there are (UDP: 0.02 ms). A descriptor that still leads
 * to the same socket is better proof than the table.
 */
import type { Wanted } from './consensus.js';
import type { OwnerBook } from './owners.js';
import type { SocketRow } from './table.js';

/** Listeners at endpoints that nobody expects show up after this time at the latest. */
const KEPT_MS = 60_000;

interface RetainedRow {
  at: number;
  rows: SocketRow[];
  /** Inodes whose holder has been seen since. */
  held: Set<number>;
}

export function createRowMemory(book: OwnerBook, now: () => number) {
  /** By namespace. */
  const memory = new Map<number, RetainedRow>();

  return {
    /** Undefined when the tables must be read: the cache is too old, a listener closed, or an expected one is missing. */
    rows(netns: number, wanted: readonly Wanted[]): SocketRow[] | undefined {
      const kept = memory.get(netns);
      if (kept === undefined || now() - kept.at >= KEPT_MS) return undefined;
      const open: SocketRow[] = [];
      for (const row of kept.rows) {
        if (book.confirm(row.inode)) {
          open.push(row);
          kept.held.add(row.inode);
        } else if (kept.held.has(row.inode)) return undefined;
      }
      // Sockets without a known owner are not evidence; they may have closed.
      const isThere = ({ port, isServedBy }: Wanted) => open.some((row) => row.port === port && isServedBy(row));
      const sought = wanted.filter(({ protocol }) => protocol === 'tcp');
      return sought.every(isThere) ? kept.rows : undefined;
    },
    keep(netns: number, rows: readonly SocketRow[]) {
      memory.set(netns, { at: now(), rows: rows.filter(({ protocol }) => protocol === 'tcp'), held: new Set() });
    },
  };
}
