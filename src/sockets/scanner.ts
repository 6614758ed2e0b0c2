/**
 * The entry to this folder: which sockets exist and which processes hold them. One scan reads the tables of each network
 * namespace through one of its processes, again where an expected socket is missing, and then finds the owners.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isSameProcess } from '../model/instance-rules.js';
import type { Gap, Namespace, Owner, Socket } from '../model/model.js';
import { netnsLink, type ProcFs } from '../proc/proc-fs.js';
import { steadyMs } from '../runtime/clock.js';
import { createAttributor, type Holder, type SeenSocket } from './attribution.js';
import { type Consensus, readUntilFound, type Wanted } from './consensus.js';
import { readNamespace } from './namespaces.js';
import { createOwnerBook } from './owners.js';
import { readTables, type Via } from './reading.js';
import { createRowMemory } from './row-memory.js';
import type { SocketRow } from './table.js';

export type { Holder } from './attribution.js';

/** The result of one scan. `W`: the caller's type of wanted endpoints. */
export interface SocketScan<W extends Wanted> {
  /** By namespace, protocol, port, address, inode. */
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
  seen: SeenRow[];
  undecided: readonly W[];
  namespace?: Namespace;
  /** How often its tables were read in this scan. */
  readings: number;
  gaps: Gap[];
}

type SeenRow = SeenSocket & { row: SocketRow };

/** Sockets may close while their holders are looked up; then the tables are read again, at most this often. */
const MOST_ROUNDS = 8;

/** `now`: milliseconds, never going back. */
export function createSocketScanner(procfs: ProcFs, now: () => number = steadyMs): SocketScanner {
  const book = createOwnerBook(procfs, now);
  const attribute = createAttributor(book, now);
  const tcpRows = createRowMemory(book, now);
  /** By inode, of the previous scan. */
  let previous: ReadonlyMap<number, Socket> = new Map();

  async function scan<W extends Wanted>(
    holders: readonly Holder[],
    wanted: readonly W[],
    hostNetns?: number,
  ): Promise<SocketScan<W>> {
    const own = netnsLink(procfs, 'self');
    const spaces = new Map<number, Space<W>>();
    const read = async (netns: number) => {
      const { readings = 0 } = spaces.get(netns) ?? {};
      const here = wanted.filter((want) => want.netns === netns);
      const space = await readSpace(netns, { isHost: netns === hostNetns, isOwn: netns === own }, holders, here);
      spaces.set(netns, { ...space, readings: readings + space.readings });
    };
    const findOwners = () =>
      attribute(
        [...spaces.values()].flatMap(({ seen }) => seen),
        holders,
        (sockets) => closedAmong(procfs, [...spaces.values()], sockets),
      );

    for (const netns of namespacesOf(holders, wanted)) await read(netns);
    let attribution = await findOwners();
    for (let rounds = 1; attribution.closed.size > 0 && rounds < MOST_ROUNDS; rounds++) {
      const { closed } = attribution;
      // A short sleep makes preemption between two reads less likely on a busy machine.
      await pause(rounds);
      for (const [netns, { seen }] of spaces) if (seen.some(({ inode }) => closed.has(inode))) await read(netns);
      attribution = await findOwners();
    }
    const { closed, ownersOf } = attribution;
    const found = [...spaces.values()].map((space) => withoutClosed(space, closed));
    const sockets = found.flatMap(({ seen }) => seen).map((socket) => asBefore(previous, socket, ownersOf(socket)));
    previous = new Map(sockets.map((socket) => [socket.inode, socket]));
    return {
      sockets: sockets.sort(bySocket),
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
    const { absent, concerned } = compare(wanted, consensus);
    const { namespace, gaps } = readNamespace(procfs, via.path, {
      netns,
      host: isHost,
      own: !procfs.real || isOwn,
      whole: absent.length > 0 || wanted.some(({ asksAddresses }) => asksAddresses),
    });
    return {
      via,
      wanted,
      seen: consensus.rows.map((row) => ({ inode: row.inode, netns, wanted: concerned.has(row), row })),
      undecided: absent.filter(({ protocol }) => consensus.unread.includes(protocol)),
      namespace,
      readings: consensus.readings,
      gaps: [...consensus.gaps, ...gaps],
    };
  }

  /** `self` cannot vanish during the scan; pid 1 stands for the host when no Filebeat runs there. */
  async function readThroughOne(netns: number, isOwn: boolean, holders: readonly Holder[], wanted: readonly Wanted[]) {
    const candidates: Via[] = holders
      .filter((holder) => holder.netns === netns)
      .map(({ pid, startTicks }) => ({ path: `${pid}`, process: { pid, startTicks } }));
    if (isOwn) candidates.unshift({ path: 'self' });
    else if (netns === netnsLink(procfs, '1')) candidates.push({ path: '1' });
    const known = tcpRows.rows(netns, wanted);
    for (const via of candidates) {
      const consensus = await readUntilFound((protocols) => readTables(procfs, via, protocols), wanted, known);
      if (consensus === undefined) continue;
      if (known === undefined) tcpRows.keep(netns, consensus.rows);
      return { via, consensus };
    }
    return {};
  }

  return { scan };
}

/** Reads the tables of these sockets once more and returns the inodes that are gone. */
function closedAmong<W extends Wanted>(
  procfs: ProcFs,
  spaces: readonly Space<W>[],
  sockets: readonly SeenSocket[],
): Set<number> {
  const inodes = new Set(sockets.map(({ inode }) => inode));
  const closed = new Set<number>();
  for (const space of spaces) {
    const rows = space.seen.filter(({ inode }) => inodes.has(inode));
    if (space.via === undefined || rows.length === 0) continue;
    const again = readTables(procfs, space.via, [...new Set(rows.map(({ row }) => row.protocol))]);
    space.readings++;
    const open = new Set(again?.rows.map(({ inode }) => inode));
    for (const { inode, row } of rows) if (!open.has(inode) && !again?.unread.includes(row.protocol)) closed.add(inode);
  }
  return closed;
}

/** The socket of the previous scan where nothing about it changed: the same object, see `runtime/unchanged.ts`. */
function asBefore(
  previous: ReadonlyMap<number, Socket>,
  { row, netns }: SeenRow,
  { owners, ownersKnown }: Pick<Socket, 'owners' | 'ownersKnown'>,
): Socket {
  const { protocol, family, address, port, inode, uid, receiveQueue, drops } = row;
  const before = previous.get(inode);
  const isUnchanged =
    before !== undefined &&
    before.receiveQueue === receiveQueue &&
    before.drops === drops &&
    before.port === port &&
    before.address === address &&
    before.protocol === protocol &&
    before.family === family &&
    before.netns === netns &&
    before.uid === uid &&
    before.ownersKnown === ownersKnown &&
    isSameOwners(before.owners, owners);
  if (isUnchanged) return before;
  return { protocol, family, address, port, netns, inode, uid, receiveQueue, drops, owners, ownersKnown };
}

/** `absent`: wanted endpoints that no socket serves. `concerned`: sockets at wanted endpoints, whose owners must be known. */
function compare<W extends Wanted>(
  wanted: readonly W[],
  { at }: Consensus,
): { absent: W[]; concerned: Set<SocketRow> } {
  const absent: W[] = [];
  const concerned = new Set<SocketRow>();
  for (const want of wanted) {
    let served = false;
    for (const row of at(want.protocol, want.port)) {
      const serves = want.isServedBy(row);
      served ||= serves;
      if (serves || want.isBlockedBy?.(row)) concerned.add(row);
    }
    if (!served && !want.optional) absent.push(want);
  }
  return { absent, concerned };
}

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

function namespacesOf(holders: readonly Holder[], wanted: readonly Wanted[]): number[] {
  const all = new Set(wanted.map(({ netns }) => netns));
  for (const { netns } of holders) if (netns !== undefined) all.add(netns);
  return [...all].sort((a, b) => a - b);
}

function isSameOwners(a: readonly Owner[], b: readonly Owner[]): boolean {
  return a.length === b.length && a.every((owner, at) => isSameProcess(owner, b[at]!) && owner.comm === b[at]!.comm);
}

function bySocket(a: Socket, b: Socket): number {
  if (a.netns !== b.netns) return a.netns - b.netns;
  if (a.protocol !== b.protocol) return a.protocol === 'udp' ? -1 : 1;
  return a.port - b.port || (a.address < b.address ? -1 : a.address > b.address ? 1 : a.inode - b.inode);
}
