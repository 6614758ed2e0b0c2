/**
 * The loss ledger: datagrams that the kernel dropped at a listener, as a counter that never decreases. The kernel counts per
 * socket, from 0 at each bind. A row: `{ total, sockets: { "4026531840/81234": 17 } }`.
 */
import { perObject } from '../runtime/unchanged.js';
import { isSameBoot } from './memory-times.js';

export interface LedgerEntry {
  /** Datagrams, monotonic. */
  total: number;
  /** Namespace and inode of each socket counted so far → the kernel's count when last seen. */
  sockets: Record<string, number>;
  /** How many of them, the last ones, were open at the last scan. */
  open?: number;
  /** Boot in which those sockets lived; another boot reuses their numbers. */
  bootId: string;
  /** `[seconds since the epoch, datagrams]`: rises seen in the last 5 minutes, in buckets of 10 s, oldest first. */
  rises: [at: number, datagrams: number][];
}

export type Ledger = Readonly<Record<string, LedgerEntry>>;

export interface CountedSocket {
  /** Inode of the network namespace. */
  netns: number;
  inode: number;
  /** The kernel's count, 32 bits, since the socket was opened; some kernels print it signed. */
  drops: number;
}

/** A listener's labels without pid, so that the counter continues across restarts. */
export function ledgerKey(name: string, protocol: string, address: string, port: number | undefined): string {
  return JSON.stringify([name, protocol, address, port ?? '']);
}

const wrap = 2 ** 32;
/** A count that decreases by less than this has not wrapped: the inode belongs to another socket. */
const wrapDistance = 2 ** 31;
/** Number of sockets in an entry: closed ones stay for a while, so that one that a reading missed is not counted twice. */
const mostSockets = 8;
/** Seconds. */
const bucket = 10;
const window = 300;

/**
 * Adds the present counts of the sockets that serve one listener; without any socket the entry stays. A new listener starts
 * at the kernel's count. Drops between the last scan and a close are lost. Returns the same entry while nothing is dropped.
 */
export function advance(
  before: LedgerEntry | undefined,
  sockets: readonly CountedSocket[],
  context: { now: number; bootId: string },
): LedgerEntry | undefined {
  if (sockets.length === 0 && before === undefined) return undefined;
  if (before !== undefined && isCurrent(before, sockets, context.bootId)) return before;
  const known = before !== undefined && isSameBoot(before.bootId, context.bootId) ? before.sockets : {};
  const seen: Record<string, number> = {};
  for (const socket of sockets) seen[idOf(socket)] = countOf(socket);
  const risen = dropsSince(known, seen);
  const ids = Object.keys(seen);
  const earlier = Object.entries(known).filter(([id]) => !Object.hasOwn(seen, id));
  const room = Math.max(0, mostSockets - ids.length);
  return {
    total: (before?.total ?? 0) + risen,
    // Newest last; the oldest are removed first.
    sockets: { ...Object.fromEntries(room === 0 ? [] : earlier.slice(-room)), ...seen },
    open: ids.length,
    bootId: context.bootId,
    rises: addRise(before?.rises ?? [], context.now, before === undefined ? 0 : risen),
  };
}

const idOf = ({ netns, inode }: CountedSocket) => `${netns}/${inode}`;
const countOf = ({ drops }: CountedSocket) => ((drops % wrap) + wrap) % wrap;

/** Nothing was dropped since, nor recently, and no socket was opened or closed. */
function isCurrent(entry: LedgerEntry, sockets: readonly CountedSocket[], bootId: string): boolean {
  return (
    entry.rises.length === 0 &&
    entry.open === sockets.length &&
    entry.bootId === bootId &&
    sockets.every((socket) => entry.sockets[idOf(socket)] === countOf(socket))
  );
}

/** Datagrams that sockets dropped between two scans, by their counts. */
function dropsSince(known: Readonly<Record<string, number>>, seen: Readonly<Record<string, number>>): number {
  return Object.entries(seen).reduce((sum, [id, drops]) => {
    const last = known[id];
    if (last === undefined) return sum + drops;
    if (drops >= last) return sum + drops - last;
    return sum + (last - drops > wrapDistance ? drops + wrap - last : drops);
  }, 0);
}

/**
 * Whether a start from `written` would reach the same total from the sockets that are open now. If not, sockets that have
 * closed dropped some of it, and only `entry` knows.
 */
export function isReproducible(written: LedgerEntry | undefined, entry: LedgerEntry): boolean {
  if (written === entry) return true;
  const { sockets, open = 0, bootId } = entry;
  const openSockets = Object.fromEntries(open === 0 ? [] : Object.entries(sockets).slice(-open));
  const known = written !== undefined && isSameBoot(written.bootId, bootId) ? written.sockets : {};
  return (written?.total ?? 0) + dropsSince(known, openSockets) >= entry.total;
}

function addRise(rises: readonly [number, number][], now: number, datagrams: number): [number, number][] {
  const recent = rises.filter(([at]) => at > now - window && at <= now);
  if (datagrams === 0) return recent;
  const last = recent.at(-1);
  if (last === undefined || now - last[0] >= bucket) return [...recent, [now, datagrams]];
  return [...recent.slice(0, -1), [last[0], last[1] + datagrams]];
}

/** Datagrams dropped within the last `seconds` (at most 300). The count at the first scan is not a rise. */
export function droppedWithin(entry: LedgerEntry | undefined, now: number, seconds: number): number {
  const recent = (entry?.rises ?? []).filter(([at]) => at > now - seconds && at <= now);
  return recent.reduce((sum, [, datagrams]) => sum + datagrams, 0);
}

/** Removes the entries of instances that are not in `names`. */
export function pruneLedger(ledger: Ledger, names: ReadonlySet<string>): Ledger {
  return pruned(ledger, [...names]);
}

const pruned = perObject((ledger: Ledger, names: readonly string[]): Ledger => {
  // Comparing prefixes is cheaper than parsing keys, and usually all entries stay.
  const beginnings = new Set(names.map((name) => `[${JSON.stringify(name)}`));
  const isKnown = (key: string) =>
    beginnings.has(key.slice(0, key.indexOf('","') + 1)) || names.includes((JSON.parse(key) as string[])[0]!);
  if (Object.keys(ledger).every(isKnown)) return ledger;
  return Object.fromEntries(Object.entries(ledger).filter(([key]) => isKnown(key)));
});
