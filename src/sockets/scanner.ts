/**
 * The entry to this folder: which sockets exist and which processes hold them. One scan reads the tables of each network
 * namespace through one of its processes, again where an expected socket is missing, and then finds the owners.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Gap, Namespace, Protocol, Socket } from '../model/model.js';
import { netnsLink, type ProcFs } from '../proc/proc-fs.js';
import { steadyMs } from '../runtime/clock.js';
import { groupBy } from '../runtime/group-by.js';
import { perObject } from '../runtime/unchanged.js';
import { createAttributor, type Holder, type SeenSocket } from './attribution.js';
import { readUntilFound, type Wanted } from './consensus.js';
import { readNamespace } from './namespaces.js';
import { createOwnerBook } from './owners.js';
import { type LastTables, readTables, type Via } from './reading.js';
import { createRowMemory } from './row-memory.js';
import { allSeen, createSocketList, type SeenRow, seenRows } from './socket-list.js';

export type { Holder } from './attribution.js';

/** The result of one scan. `W`: the caller's type of wanted endpoints. */
export interface SocketScan<W extends Wanted> {
  /** By namespace, protocol, port, address, inode. The same array while nothing about them changed. */
  sockets: Socket[];
  /** By inode. Addresses and the first unprivileged port are there where something wanted is missing. */
  namespaces: Namespace[];
  /** Table readings in this scan: one per namespace while nothing is missing. */
  tableReads: number;
  /** Full descriptor scans since the scanner was made. */
  fullFdScans: number;
  /** Expected endpoints that are neither found nor missing, because a table could not be read. */
  undecided: W[];
  gaps: Gap[];
}

/** Never throws; what could not be read is a gap. */
export interface SocketScanner {
  /**
   * Reads the network namespaces of all holders and of everything wanted. `holders`: the Filebeats of the process scan.
   * `hostNetns`: the host's namespace.
   */
  scan<W extends Wanted>(holders: readonly Holder[], wanted: readonly W[], hostNetns?: number): Promise<SocketScan<W>>;
}

/** What one scan found in one network namespace. */
interface Space<W extends Wanted> {
  /** Absent when no process in the namespace could be used. */
  via?: Via;
  wanted: readonly W[];
  /** By protocol, port, address, inode. */
  seen: readonly SeenRow[];
  undecided: readonly W[];
  namespace?: Namespace;
  /** How often its tables were read in this scan. */
  readings: number;
  gaps: Gap[];
}

/** Sockets may close while their holders are looked up; then the tables are read again, at most this often. */
const MOST_ROUNDS = 8;

/** `now`: milliseconds, never going back. */
export function createSocketScanner(procfs: ProcFs, now: () => number = steadyMs): SocketScanner {
  const book = createOwnerBook(procfs, now);
  const attribute = createAttributor(book, now);
  const tcpRows = createRowMemory(book, now);
  const listSockets = createSocketList();
  /** By namespace. */
  const lastTables = new Map<number, LastTables>();

  async function scan<W extends Wanted>(
    holders: readonly Holder[],
    wanted: readonly W[],
    hostNetns?: number,
  ): Promise<SocketScan<W>> {
    const own = netnsLink(procfs, 'self');
    const wantedIn = byNamespace(wanted) as ReadonlyMap<number, readonly W[]>;
    const spaces = new Map<number, Space<W>>();
    const read = async (netns: number) => {
      const { readings = 0 } = spaces.get(netns) ?? {};
      const here = wantedIn.get(netns) ?? (NONE_WANTED as readonly W[]);
      const space = await readSpace(netns, { isHost: netns === hostNetns, isOwn: netns === own }, holders, here);
      spaces.set(netns, { ...space, readings: readings + space.readings });
    };
    const findOwners = () => attribute(allSeen(spaces.values()), holders, (sockets) => closedAmong(spaces, sockets));

    for (const netns of namespacesOf(holders, wantedIn.keys())) await read(netns);
    let attribution = await findOwners();
    for (let rounds = 1; attribution.closed.size > 0 && rounds < MOST_ROUNDS; rounds++) {
      const { closed } = attribution;
      // A short sleep makes preemption between two reads less likely on a busy machine.
      await pause(rounds);
      for (const [netns, { seen }] of spaces) if (seen.some(({ inode }) => closed.has(inode))) await read(netns);
      attribution = await findOwners();
    }
    const found = [...spaces.values()].map((space) => withoutClosed(space, attribution.closed));
    for (const netns of lastTables.keys()) if (!spaces.has(netns)) lastTables.delete(netns);
    tcpRows.retain(spaces);
    return {
      sockets: listSockets(allSeen(found), attribution),
      namespaces: found.flatMap(({ namespace }) => namespace ?? []),
      tableReads: found.reduce((sum, { readings }) => sum + readings, 0),
      fullFdScans: book.walks,
      undecided: found.flatMap(({ undecided }) => undecided),
      gaps: [...found.flatMap(({ gaps }) => gaps), ...attribution.gaps],
    };
  }

  async function readSpace<W extends Wanted>(
    netns: number,
    { isHost, isOwn }: { isHost: boolean; isOwn: boolean },
    holders: readonly Holder[],
    wanted: readonly W[],
  ): Promise<Space<W>> {
    const { via, consensus } = await readThroughOne(netns, isOwn, holders, wanted);
    if (via === undefined || consensus === undefined) {
      const gap: Gap = {
        reason: 'missing',
        subject: `network namespace ${netns}`,
        detail: 'no process in it can be seen',
      };
      return { wanted, seen: [], undecided: wanted, readings: 0, gaps: [gap] };
    }
    const { found, absent, unread } = consensus;
    const { namespace, gaps } = readNamespace(procfs, via.path, {
      netns,
      host: isHost,
      own: !procfs.real || isOwn,
      whole: absent.length > 0 || wanted.some(({ asksAddresses }) => asksAddresses),
    });
    return {
      via,
      wanted,
      seen: seenRows(found, netns, wanted),
      undecided: unread.length === 0 ? [] : absent.filter(({ protocol }) => unread.includes(protocol)),
      namespace,
      readings: consensus.readings,
      gaps: [...consensus.gaps, ...gaps],
    };
  }

  async function readThroughOne<W extends Wanted>(
    netns: number,
    isOwn: boolean,
    holders: readonly Holder[],
    wanted: readonly W[],
  ) {
    const known = tcpRows.rows(netns, wanted);
    for (const via of viasInto(netns, isOwn, holders)) {
      const consensus = await readUntilFound((protocols) => read(netns, via, protocols), wanted, known);
      if (consensus === undefined) continue;
      if (known === undefined) tcpRows.keep(netns, consensus.found.rows);
      return { via, consensus };
    }
    return {};
  }

  /** `self` cannot vanish during the scan; pid 1 stands for the host when no Filebeat runs there. */
  function* viasInto(netns: number, isOwn: boolean, holders: readonly Holder[]): Generator<Via> {
    if (isOwn) yield { path: 'self' };
    for (const { pid, startTicks, netns: its } of holders)
      if (its === netns) yield { path: `${pid}`, process: { pid, startTicks } };
    if (!isOwn && netns === netnsLink(procfs, '1')) yield { path: '1' };
  }

  function read(netns: number, via: Via, protocols: readonly Protocol[]) {
    const last: LastTables = lastTables.get(netns) ?? new Map();
    lastTables.set(netns, last);
    return readTables(procfs, via, protocols, last);
  }

  /** Reads the tables of these sockets once more and returns the inodes that are gone. */
  function closedAmong<W extends Wanted>(spaces: Iterable<[number, Space<W>]>, sockets: readonly SeenSocket[]) {
    const inodes = new Set(sockets.map(({ inode }) => inode));
    const closed = new Set<number>();
    for (const [netns, space] of spaces) {
      const rows = space.seen.filter(({ inode }) => inodes.has(inode));
      if (space.via === undefined || rows.length === 0) continue;
      const again = read(netns, space.via, [...new Set(rows.map(({ row }) => row.protocol))]);
      space.readings++;
      const open = new Set(again?.tables.flatMap((table) => table.rows.map(({ inode }) => inode)));
      for (const { inode, row } of rows)
        if (!open.has(inode) && !again?.unread.includes(row.protocol)) closed.add(inode);
    }
    return closed;
  }

  return { scan };
}

type Groups = ReadonlyMap<number, readonly Wanted[]>;
const byNamespace = perObject((wanted: readonly Wanted[]): Groups => groupBy(wanted, ({ netns }) => netns));
const NONE_WANTED: readonly Wanted[] = [];

/**
 * Drops sockets that closed before their owner was found. Endpoints served by such a socket alone are undecided: another one may
 * have replaced it.
 */
function withoutClosed<W extends Wanted>(space: Space<W>, closed: ReadonlySet<number>): Space<W> {
  const gone = space.seen.filter(({ inode }) => closed.has(inode));
  if (gone.length === 0) return space;
  const seen = space.seen.filter(({ inode }) => !closed.has(inode));
  const serves = (rows: readonly SeenRow[], { protocol, port, isServedBy }: W) =>
    rows.some(({ row }) => row.protocol === protocol && row.port === port && isServedBy(row));
  const lost = space.wanted.filter((want) => serves(gone, want) && !serves(seen, want));
  return { ...space, seen, undecided: [...space.undecided, ...lost] };
}

function namespacesOf(holders: readonly Holder[], wanted: Iterable<number>): number[] {
  const all = new Set(wanted);
  for (const { netns } of holders) if (netns !== undefined) all.add(netns);
  return [...all].sort((a, b) => a - b);
}
