/**
 * Finds which processes hold the sockets of one pass, cheapest first: verify the holders known from before, look for new
 * sockets among the Filebeats, and scan every process's descriptors only when a wanted endpoint has a socket that no
 * Filebeat holds.
 */
import { processKey } from '../model/instance-rules.js';
import type { Gap, Owner, ProcessId } from '../model/model.js';
import type { OwnerBook } from './owners.js';

/** A running Filebeat; without `netns` (its namespace could not be told) it is left out. */
export interface Holder extends ProcessId {
  netns?: number;
  /** How many descriptors it has open, by this pass's process scan; absent where that is hidden. */
  openFds?: number;
}

/** A socket of this pass. `wanted`: it serves an endpoint that somebody ought to hold, or is in its way. */
export interface SeenSocket {
  inode: number;
  netns: number;
  wanted: boolean;
}

export interface Attribution {
  ownersOf(socket: SeenSocket): { owners: Owner[]; ownersKnown: boolean };
  /** Inodes at wanted endpoints whose sockets closed after the table was read: they have no holder. */
  closed: ReadonlySet<number>;
  gaps: Gap[];
}

/** Which of these inodes are no longer in their tables. A torn reading may name one too many; that one is looked for again. */
export type Recheck = (sockets: readonly SeenSocket[]) => ReadonlySet<number>;

/** How long the answer about a socket that no Filebeat holds stays valid. */
const STRANGERS_KEPT_MS = 60_000;
/** New sockets at endpoints that nobody expects may wait this long: DNS lookups open and close such sockets all the time. */
const UNWANTED_WAIT_MS = 5_000;

/** A socket that no Filebeat held. `walked`: every process was scanned, and whether all of them could be read. */
interface UnownedSocket {
  at: number;
  walked?: 'complete' | 'incomplete';
}

export function createAttributor(book: OwnerBook, now: () => number) {
  /** By inode. */
  const strangers = new Map<number, UnownedSocket>();
  let holdersBefore = '';
  let lastLook = Number.NEGATIVE_INFINITY;
  /** Filebeats that hold none of the sockets: their descriptors as they were last listed. By pid. */
  const listed = new Map<number, { startTicks: number; openFds: number; at: number }>();
  /** What the last full scan could not see. */
  let unwalked: readonly Gap[] = [];

  return async function attribute(
    sockets: readonly SeenSocket[],
    holders: readonly Holder[],
    recheck: Recheck,
  ): Promise<Attribution> {
    const started = now();
    const gaps: Gap[] = [];
    const inodes = new Set(sockets.map(({ inode }) => inode));
    const holding = book.verify(inodes);
    const unheld = () => sockets.filter(({ inode }) => !book.isHeld(inode));

    // A Filebeat discovered just now may hold a socket that had no known owner before.
    const holdersNow = holders.map(processKey).join();
    if (holdersNow !== holdersBefore) strangers.clear();
    holdersBefore = holdersNow;
    for (const [inode, { at }] of strangers)
      if (!inodes.has(inode) || started - at >= STRANGERS_KEPT_MS) strangers.delete(inode);

    const patient = started - lastLook < UNWANTED_WAIT_MS;
    const unknown = unheld().filter(({ inode, wanted }) => !strangers.has(inode) && (wanted || !patient));
    if (unknown.length > 0) lastLook = started;
    const denied = scanHolders(holders, holding, new Set(unknown.map(({ netns }) => netns)), inodes, gaps);
    const left = unheld();
    const asked = new Set(unknown.map(({ inode }) => inode));
    for (const { inode } of left) if (asked.has(inode)) strangers.set(inode, { at: started });

    const closed = new Set<number>();
    const stillOpen = (those: readonly SeenSocket[]) => {
      if (those.length === 0) return those;
      const gone = recheck(those);
      for (const inode of gone) closed.add(inode);
      return those.filter(({ inode }) => !gone.has(inode));
    };
    // Do this for unreadable Filebeats too: a process that visibly holds the port is not that Filebeat.
    const suspicious = stillOpen(
      left.filter(({ inode, wanted }) => wanted && strangers.get(inode)?.walked === undefined),
    );
    if (suspicious.length > 0 && book.mayWalk()) {
      const { complete, gaps: more } = await book.walk(inodes, new Set(holders.map(({ pid }) => pid)));
      unwalked = more;
      for (const { inode } of unheld())
        strangers.set(inode, { at: started, walked: complete ? 'complete' : 'incomplete' });
      // During a full scan a socket may close, or move to a process that was already scanned.
      stillOpen(suspicious.filter(({ inode }) => !book.isHeld(inode)));
    } else if (suspicious.some(({ netns }) => !denied.has(netns))) {
      gaps.push({ reason: 'limit', subject: '/proc/*/fd', detail: 'full descriptor scan skipped (rate limit)' });
    }

    // What the last full scan could not see stays unseen until the next one.
    const isHidden = ({ inode, wanted }: SeenSocket) => wanted && strangers.get(inode)?.walked === 'incomplete';
    if (unheld().some(isHidden)) gaps.push(...unwalked);

    const ownersOf = ({ inode, netns }: SeenSocket) => {
      const owners = book.owners(inode);
      return {
        owners,
        ownersKnown: owners.length > 0 || (!denied.has(netns) && strangers.get(inode)?.walked === 'complete'),
      };
    };
    return { ownersOf, closed, gaps };
  };

  /**
   * Looks at the Filebeats in the namespaces named, and at those of which nothing is known: they have no socket yet,
   * or we may not look. Returns the namespaces in which one was denied.
   */
  function scanHolders(
    holders: readonly Holder[],
    holding: ReadonlySet<number>,
    namespaces: ReadonlySet<number>,
    inodes: ReadonlySet<number>,
    gaps: Gap[],
  ): Set<number> {
    const denied = new Set<number>();
    for (const holder of holders) {
      const { pid, netns } = holder;
      if (netns === undefined) continue;
      if (!namespaces.has(netns) && (holding.has(pid) || isListed(holder))) continue;
      listed.delete(pid);
      if (book.listDescriptors(holder, inodes)) {
        noteListed(holder);
        continue;
      }
      denied.add(netns);
      gaps.push({ reason: 'denied', subject: `/proc/${pid}/fd` });
    }
    const pids = new Set(holders.map(({ pid }) => pid));
    for (const pid of listed.keys()) if (!pids.has(pid)) listed.delete(pid);
    return denied;
  }

  function noteListed({ pid, startTicks, openFds }: Holder): void {
    if (openFds !== undefined) listed.set(pid, { startTicks, openFds, at: now() });
  }

  /**
   * It was seen to hold none of the sockets, and has as many descriptors as then. A new socket would be one without a
   * holder, and then all are listed; what it may have been handed in exchange for another descriptor is found a minute later.
   */
  function isListed({ pid, startTicks, openFds }: Holder): boolean {
    const before = listed.get(pid);
    return (
      before !== undefined &&
      before.startTicks === startTicks &&
      before.openFds === openFds &&
      now() - before.at < STRANGERS_KEPT_MS
    );
  }
}
