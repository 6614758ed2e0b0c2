/**
 * Caches TCP listeners so that their tables need not be read in every scan: after the listeners the kernel walks the hash
 * of all connections, 262,144 slots, 1.7 ms per table however few there are (UDP: 0.02 ms). A descriptor that still leads
 * to the same socket is better proof than the table.
 */
import type { Wanted } from './consensus.js';
import type { OwnerBook } from './owners.js';
import type { SocketRow } from './table.js';

/** Listeners at endpoints that nobody expects show up after this time at the latest. */
const KEPT_MS = 60_000;

interface CachedRows {
  at: number;
  rows: SocketRow[];
  /** Inodes whose owner was confirmed since. */
  confirmed: Set<number>;
}

export function createRowMemory(book: OwnerBook, now: () => number) {
  /** By namespace. */
  const cache = new Map<number, CachedRows>();

  return {
    /** Undefined when the tables must be read: the cache is too old, a listener closed, or an expected one is missing. */
    rows(netns: number, wanted: readonly Wanted[]): SocketRow[] | undefined {
      const cached = cache.get(netns);
      if (cached === undefined || now() - cached.at >= KEPT_MS) return undefined;
      const open: SocketRow[] = [];
      for (const row of cached.rows) {
        if (book.confirm(row.inode)) {
          open.push(row);
          cached.confirmed.add(row.inode);
        } else if (cached.confirmed.has(row.inode)) return undefined;
      }
      // Sockets without a known owner are not evidence; they may have closed.
      const isThere = ({ port, isServedBy }: Wanted) => open.some((row) => row.port === port && isServedBy(row));
      return wanted.filter(({ protocol }) => protocol === 'tcp').every(isThere) ? cached.rows : undefined;
    },
    keep(netns: number, rows: readonly SocketRow[]) {
      const listeners = rows.filter(({ protocol }) => protocol === 'tcp');
      cache.set(netns, { at: now(), rows: listeners, confirmed: new Set() });
    },
  };
}
