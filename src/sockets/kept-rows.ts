/**
 * TCP listeners seen before, so that their tables need not be read on every pass: behind the listeners the kernel
 * walks the hash of all connections, 1.7 ms per table with its 262,144 slots, however few there are (UDP: 0.02 ms).
 * A descriptor that still leads to the same socket proves more than the table does.
 */
import type { Wanted } from './consensus.js';
import type { OwnerBook } from './owners.js';
import type { SocketRow } from './table.js';

/** New listeners that nobody wants are seen after this time. */
const KEPT_MS = 60_000;

interface Kept {
  at: number;
  rows: SocketRow[];
  /** Inodes that somebody was seen to hold since. */
  held: Set<number>;
}

export function createKeptRows(book: OwnerBook, now: () => number) {
  /** By namespace. */
  const memory = new Map<number, Kept>();

  return {
    /** Undefined when the tables have to be read: too long ago, a listener closed, or something wanted is not there. */
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
      // What nobody we know holds could close without our seeing it: it is no proof.
      const isThere = ({ port, isServedBy }: Wanted) => open.some((row) => row.port === port && isServedBy(row));
      const sought = wanted.filter(({ protocol }) => protocol === 'tcp');
      return sought.every(isThere) ? kept.rows : undefined;
    },
    keep(netns: number, rows: readonly SocketRow[]) {
      memory.set(netns, { at: now(), rows: rows.filter(({ protocol }) => protocol === 'tcp'), held: new Set() });
    },
  };
}
