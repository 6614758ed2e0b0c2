/**
 * Finds which processes hold the sockets of one scan, cheapest first: verify the holders known from before, look for new
 * sockets among the Filebeats, and scan every process's descriptors only when a wanted endpoint has a socket that no
 * Filebeat holds.
 */
import { isSameProcess } from '../model/instance-rules.js';
import type { Gap, Owner, ProcessId } from '../model/model.js';
import { perObject } from '../runtime/unchanged.js';
import type { OwnerBook } from './owners.js';

/** A running Filebeat; one without `netns` (its namespace is unknown) is skipped. */
export interface Holder extends ProcessId {
  netns?: number;
  /** Number of its descriptors, by the process scan; absent where that is hidden. */
  openFds?: number;
}

/** A socket of this scan. `wanted`: it serves an expected endpoint or blocks it. */
export interface SeenSocket {
  inode: number;
  netns: number;
  wanted: boolean;
}

export interface Attribution {
  /** By pid; the same array while they are the same. */
  ownersOf(socket: SeenSocket): readonly Owner[];
  /** False where some processes that might hold it could not be read. */
  areOwnersKnown(socket: SeenSocket): boolean;
  /** Inodes at wanted endpoints whose sockets closed after the table was read: they have no holder. */
  closed: ReadonlySet<number>;
  gaps: Gap[];
}

/**
 * Returns the inodes that are no longer in their tables. A torn reading may report one that is still open; it is looked for again.
 */
export type Recheck = (sockets: readonly SeenSocket[]) => ReadonlySet<number>;

const inodesOf = perObject((sockets: readonly SeenSocket[]) => new Set(sockets.map(({ inode }) => inode)));

/** How long the answer about a socket that no Filebeat holds stays valid. */
const UNOWNED_KEPT_MS = 60_000;
/** New sockets at endpoints that nobody expects may wait this long: DNS lookups open and close such sockets all the time. */
const UNWANTED_WAIT_MS = 5_000;

/** A socket that no Filebeat held. `walked`: every process was scanned, and whether all of them could be read. */
interface UnownedSocket {
  at: number;
  walked?: 'complete' | 'incomplete';
}

interface SearchedHolder {
  startTicks: number;
  openFds: number;
  /** Milliseconds. */
  at: number;
}

export function createAttributor(book: OwnerBook, now: () => number) {
  /** By inode. */
  const unowned = new Map<number, UnownedSocket>();
  let previousHolders: readonly Holder[] = [];
  let lastSearch = Number.NEGATIVE_INFINITY;
  /** Filebeats that were seen to hold none of the sockets, as they were then. By pid. */
  const searched = new Map<number, SearchedHolder>();
  /** What the last full scan could not see. */
  let unwalked: readonly Gap[] = [];

  return async function attribute(
    sockets: readonly SeenSocket[],
    holders: readonly Holder[],
    recheck: Recheck,
  ): Promise<Attribution> {
    const started = now();
    const inodes = inodesOf(sockets);
    const known = book.verify(inodes);
    // Usually each socket has an owner. In what follows owners are only found, so that the others need not be asked about again.
    const unverified = book.held === inodes.size ? [] : sockets.filter(({ inode }) => !book.isHeld(inode));
    const withoutOwner = () => unverified.filter(({ inode }) => !book.isHeld(inode));
    forgetAnswers(inodes, holders, started);

    const mayWait = started - lastSearch < UNWANTED_WAIT_MS;
    const unknown = withoutOwner().filter(({ inode, wanted }) => !unowned.has(inode) && (wanted || !mayWait));
    if (unknown.length > 0) lastSearch = started;
    const namespaces = new Set(unknown.map(({ netns }) => netns));
    const search = searchHolders(
      holders.filter(
        (holder) =>
          holder.netns !== undefined &&
          (namespaces.has(holder.netns) || !(known.has(holder.pid) || isSearched(holder))),
      ),
      inodes,
    );
    const gaps = search.gaps;
    for (const { inode } of unknown) if (!book.isHeld(inode)) unowned.set(inode, { at: started });

    const closed = new Set<number>();
    const stillOpen = (open: readonly SeenSocket[]) => {
      if (open.length === 0) return open;
      const gone = recheck(open);
      for (const inode of gone) closed.add(inode);
      return open.filter(({ inode }) => !gone.has(inode));
    };
    // Do this for unreadable Filebeats too: a process that visibly holds the port is not that Filebeat.
    const suspicious = stillOpen(
      withoutOwner().filter(({ inode, wanted }) => wanted && unowned.get(inode)?.walked === undefined),
    );
    if (suspicious.length > 0 && book.mayWalk()) {
      const walk = await book.walk(inodes, new Set(holders.map(({ pid }) => pid)));
      unwalked = walk.gaps;
      const walked = walk.complete ? 'complete' : 'incomplete';
      for (const { inode } of withoutOwner()) unowned.set(inode, { at: started, walked });
      // During a full scan a socket may close, or move to a process that was already scanned.
      stillOpen(suspicious.filter(({ inode }) => !book.isHeld(inode)));
    } else if (suspicious.some(({ netns }) => !search.denied.has(netns))) {
      gaps.push({ reason: 'limit', subject: '/proc/*/fd', detail: 'full descriptor scan skipped (rate limit)' });
    }

    // What the last full scan could not see stays unseen until the next one.
    const isHidden = ({ inode, wanted }: SeenSocket) => wanted && unowned.get(inode)?.walked === 'incomplete';
    if (withoutOwner().some(isHidden)) gaps.push(...unwalked);

    return {
      ownersOf: ({ inode }) => book.owners(inode),
      areOwnersKnown: ({ inode, netns }) =>
        book.isHeld(inode) || (!search.denied.has(netns) && unowned.get(inode)?.walked === 'complete'),
      closed,
      gaps,
    };
  };

  /** Answers expire, and a Filebeat that was discovered since the last scan may hold a socket without a known owner. */
  function forgetAnswers(inodes: ReadonlySet<number>, holders: readonly Holder[], time: number): void {
    const isSame =
      holders.length === previousHolders.length && holders.every((one, at) => isSameProcess(one, previousHolders[at]));
    previousHolders = holders;
    if (!isSame) {
      unowned.clear();
      const pids = new Set(holders.map(({ pid }) => pid));
      for (const pid of searched.keys()) if (!pids.has(pid)) searched.delete(pid);
    }
    for (const [inode, { at }] of unowned)
      if (!inodes.has(inode) || time - at >= UNOWNED_KEPT_MS) unowned.delete(inode);
  }

  /** `denied`: namespaces of holders whose descriptors could not be read. */
  function searchHolders(
    holders: readonly Holder[],
    inodes: ReadonlySet<number>,
  ): { denied: ReadonlySet<number>; gaps: Gap[] } {
    const denied: Holder[] = [];
    for (const holder of holders) {
      searched.delete(holder.pid);
      const { pid, startTicks, openFds } = holder;
      if (!book.listDescriptors(holder, inodes)) denied.push(holder);
      else if (openFds !== undefined) searched.set(pid, { startTicks, openFds, at: now() });
    }
    return {
      denied: new Set(denied.flatMap(({ netns }) => netns ?? [])),
      gaps: denied.map(({ pid }) => ({ reason: 'denied', subject: `/proc/${pid}/fd` })),
    };
  }

  /**
   * It held none of the sockets, and has as many descriptors as then. A new socket has no known owner, and then every Filebeat is
   * searched; a socket that it received in exchange for another descriptor is found after a minute.
   */
  function isSearched({ pid, startTicks, openFds }: Holder): boolean {
    const before = searched.get(pid);
    return (
      before !== undefined &&
      before.startTicks === startTicks &&
      before.openFds === openFds &&
      now() - before.at < UNOWNED_KEPT_MS
    );
  }
}
