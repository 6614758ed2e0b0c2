/**
 * Finds the holders of the sockets of one pass as cheaply as can be: holders known before are verified, new sockets
 * are looked for among the Filebeats, and everybody's descriptors are walked only on suspicion: a socket at a wanted
 * endpoint that no Filebeat holds.
 */
import type { Gap, Owner, ProcessId } from '../model/model.js';
import type { OwnerBook } from './owners.js';

/** A running Filebeat; without `netns` (its namespace could not be told) it is left out. */
export interface Holder extends ProcessId {
  netns?: number;
}

/** A socket of this pass. `wanted`: it serves an endpoint that somebody ought to hold, or is in its way. */
export interface SeenSocket {
  inode: number;
  netns: number;
  wanted: boolean;
}

export interface Attribution {
  ownersOf(socket: SeenSocket): { owners: Owner[]; ownersKnown: boolean };
  /** Inodes at wanted endpoints that closed between the reading of the table and now: nobody holds them, nobody ever will. */
  closed: ReadonlySet<number>;
  gaps: Gap[];
}

/** Which of these are no longer in their tables? A reading that tears may name one too many: it is looked for again. */
export type Recheck = (sockets: readonly SeenSocket[]) => ReadonlySet<number>;

/** What was found out about a socket that no Filebeat holds is asked again after this time. */
const STRANGERS_KEPT_MS = 60_000;
/** New sockets that nobody wants (look-ups of names open and close some all the time) may wait this long. */
const UNWANTED_WAIT_MS = 5_000;

/** A socket that no Filebeat held when it was looked at; `walked` when everybody was asked: was nobody hidden? */
interface Stranger {
  at: number;
  walked?: 'complete' | 'incomplete';
}

export function createAttributor(book: OwnerBook, now: () => number) {
  /** By inode. */
  const strangers = new Map<number, Stranger>();
  let holdersBefore = '';
  let lastLook = Number.NEGATIVE_INFINITY;
  /** What the last walk could not see. */
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

    // Who has just been discovered may hold what was a stranger's before.
    const holdersNow = holders.map(({ pid, startTicks }) => `${pid}:${startTicks}`).join();
    if (holdersNow !== holdersBefore) strangers.clear();
    holdersBefore = holdersNow;
    for (const [inode, { at }] of strangers)
      if (!inodes.has(inode) || started - at >= STRANGERS_KEPT_MS) strangers.delete(inode);

    const patient = started - lastLook < UNWANTED_WAIT_MS;
    const unknown = unheld().filter(({ inode, wanted }) => !strangers.has(inode) && (wanted || !patient));
    if (unknown.length > 0) lastLook = started;
    const denied = lookAtHolders(holders, holding, new Set(unknown.map(({ netns }) => netns)), inodes, gaps);
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
    // Also where a Filebeat may not be looked into: who can be seen to hold its port is not that Filebeat.
    const suspicious = stillOpen(
      left.filter(({ inode, wanted }) => wanted && strangers.get(inode)?.walked === undefined),
    );
    if (suspicious.length > 0 && book.mayWalk()) {
      const { complete, gaps: more } = await book.walk(inodes, new Set(holders.map(({ pid }) => pid)));
      unwalked = more;
      for (const { inode } of unheld())
        strangers.set(inode, { at: started, walked: complete ? 'complete' : 'incomplete' });
      // A walk takes long enough for a socket to close, or to pass on to somebody who was asked already.
      stillOpen(suspicious.filter(({ inode }) => !book.isHeld(inode)));
    } else if (suspicious.some(({ netns }) => !denied.has(netns))) {
      gaps.push({ reason: 'limit', subject: '/proc/*/fd', detail: 'everybody was asked a moment ago' });
    }

    // What a walk could not see is not seen until the next one either.
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
  function lookAtHolders(
    holders: readonly Holder[],
    holding: ReadonlySet<number>,
    namespaces: ReadonlySet<number>,
    inodes: ReadonlySet<number>,
    gaps: Gap[],
  ): Set<number> {
    const denied = new Set<number>();
    for (const holder of holders) {
      if (holder.netns === undefined) continue;
      if (!namespaces.has(holder.netns) && holding.has(holder.pid)) continue;
      if (book.look(holder, inodes)) continue;
      denied.add(holder.netns);
      gaps.push({ reason: 'denied', subject: `/proc/${holder.pid}/fd` });
    }
    return denied;
  }
}
