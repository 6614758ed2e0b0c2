/**
 * Caches TCP listeners so that their tables need not be read in every scan: after the listeners the kernel walks the hash
 * of all connections, 262,144 slots, 1.7 ms per table however few there are (UDP: 0.02 ms). A descriptor that still leads
 * to the same socket is better proof than the table.
 */
import { groupBy } from '../runtime/group-by.js';
import type { Wanted } from './consensus.js';
import type { OwnerBook } from './owners.js';
import type { Rows } from './row-set.js';
import type { SocketRow } from './table.js';

/** Listeners at endpoints that nobody expects show up after this time at the latest. */
const KEPT_MS = 60_000;

interface CachedRows {
  at: number;
  listeners: Rows;
  /** Inodes whose owner was confirmed since. */
  confirmed: Set<number>;
}

export function createRowMemory(book: OwnerBook, now: () => number) {
  /** By namespace. */
  const cache = new Map<number, CachedRows>();

  return {
    /** Undefined when the tables must be read: the cache is too old, a listener closed, or an expected one is missing. */
    rows(netns: number, wanted: readonly Wanted[]): Rows | undefined {
      const cached = cache.get(netns);
      if (cached === undefined || now() - cached.at >= KEPT_MS) return undefined;
      const { rows } = cached.listeners;
      const open = book.confirm(rows.map(({ inode }) => inode));
      for (const inode of cached.confirmed) if (!open.has(inode)) return undefined;
      cached.confirmed = open;
      // Sockets without a known owner are not evidence; they may have closed.
      const byPort = groupBy(
        rows.filter(({ inode }) => open.has(inode)),
        ({ port }) => port,
      );
      const isThere = ({ port, isServedBy }: Wanted) => byPort.get(port)?.some(isServedBy) === true;
      return wanted.every((one) => one.protocol !== 'tcp' || isThere(one)) ? cached.listeners : undefined;
    },
    keep(netns: number, rows: readonly SocketRow[]) {
      const listeners = { rows: rows.filter(({ protocol }) => protocol === 'tcp') };
      cache.set(netns, { at: now(), listeners, confirmed: new Set() });
    },
    /** Forgets the other namespaces. */
    retain(present: { has(netns: number): boolean }) {
      for (const netns of cache.keys()) if (!present.has(netns)) cache.delete(netns);
    },
  };
}
