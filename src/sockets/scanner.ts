/**
 * The entry to this folder: which sockets exist and which processes hold them. One pass reads the tables of each network
 * namespace through one of its processes, again where an expected socket is missing, and then finds the holders.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Gap, Namespace, Owner, Socket } from '../model/model.js';
import type { ProcFs } from '../proc/proc-fs.js';
import { parseNamespaceLink } from '../proc/process-files.js';
import { steadyMs } from '../runtime/clock.js';
import { createAttributor, type Holder, type SeenSocket } from './attribution.js';
import type { Wanted } from './consensus.js';
import { type Consensus, readUntilFound } from './consensus.js';
import { readNamespace } from './namespaces.js';
import { createOwnerBook } from './owners.js';
import { readTables, type Via } from './reading.js';
import { createRowMemory } from './row-memory.js';
import type { SocketRow } from './table.js';

export type { Holder } from './attribution.js';

export interface SocketScan<W extends Wanted> {
  /** By namespace, protocol, port, address, inode. */
  sockets: Socket[];
  /** By inode. Addresses and the first unprivileged port are there where something wanted is missing. */
  namespaces: Namespace[];
  /** Table readings in this pass: one per namespace while nothing is missing. */
  tableReads: number;
  /** Full descriptor scans since the scanner was made. */
  fullFdScans: number;
  /** Expected endpoints that are neither found nor missing, because a table could not be read. */
  undecided: W[];
  gaps: Gap[];
}

export interface SocketScanner {
  /**
   * `holders`: the Filebeats of this pass's process scan. `hostNetns`: the host's namespace, by the same scan.
   * Looks at the namespaces of all holders and of everything wanted.
   */
  scan<W extends Wanted>(holders: readonly Holder[], wanted: readonly W[], hostNetns?: number): Promise<SocketScan<W>>;
}

/** What one look found in one network namespace. */
interface Space<W extends Wanted> {
  /** Absent when no process in the namespace could be used. */
  via?: Via;
  here: readonly W[];
  seen: (SeenSocket & { row: SocketRow })[];
  undecided: readonly W[];
  namespace?: Namespace;
  gaps: Gap[];
}

/** Sockets may close while their holders are looked up; then the tables are read again, at most this often. */
const MOST_ROUNDS = 8;

/** `now`: milliseconds, never going back. */
export function createSocketScanner(procfs: ProcFs, now: () => number = steadyMs): SocketScanner {
  const book = createOwnerBook(procfs, now);
  const attribute = createAttributor(book, now);
  const kept = createRowMemory(book, now);
  /** By inode, of the look before. */
  let told: ReadonlyMap<number, Socket> = new Map();

  async function look<W extends Wanted>(holders: readonly Holder[], wanted: readonly W[], hostNetns?: number) {
    const spaces = new Map<number, Space<W>>();
    const own = netnsOf('self');
    let tableReads = 0;

    async function lookAt(netns: number) {
      const here = wanted.filter((want) => want.netns === netns);
      const { via, consensus } = await readOne(netns, own, holders, here);
      if (via === undefined || consensus === undefined) {
        spaces.set(netns, { here, seen: [], undecided: here, gaps: [unseen(netns)] });
        return;
      }
      tableReads += consensus.readings;
      const { absent, concerned } = compare(here, consensus);
      const told = readNamespace(procfs, via.path, {
        netns,
        host: netns === hostNetns,
        own: !procfs.real || netns === own,
        whole: absent.length > 0 || here.some(({ asksAddresses }) => asksAddresses),
      });
      spaces.set(netns, {
        via,
        here,
        seen: consensus.rows.map((row) => ({ inode: row.inode, netns, wanted: concerned.has(row), row })),
        undecided: absent.filter(({ protocol }) => consensus.unread.includes(protocol)),
        namespace: told.namespace,
        gaps: [...consensus.gaps, ...told.gaps],
      });
    }

    const allSeen = () => [...spaces.values()].flatMap(({ seen }) => seen);
    function noLongerThere(sockets: readonly SeenSocket[]): Set<number> {
      const asked = new Set(sockets.map(({ inode }) => inode));
      const gone = new Set<number>();
      for (const { via, seen } of spaces.values()) {
        const those = seen.filter(({ inode }) => asked.has(inode));
        if (via === undefined || those.length === 0) continue;
        const again = readTables(procfs, via, [...new Set(those.map(({ row }) => row.protocol))]);
        tableReads++;
        const open = new Set(again?.rows.map(({ inode }) => inode));
        for (const { inode, row } of those)
          if (!open.has(inode) && !again?.unread.includes(row.protocol)) gone.add(inode);
      }
      return gone;
    }

    for (const netns of namespacesOf(holders, wanted)) await lookAt(netns);
    let attribution = await attribute(allSeen(), holders, noLongerThere);
    for (let rounds = 1; attribution.closed.size > 0 && rounds < MOST_ROUNDS; rounds++) {
      const { closed } = attribution;
      // A short sleep makes preemption between two reads less likely on a busy machine.
      await pause(rounds);
      for (const [netns, { seen }] of spaces) if (seen.some(({ inode }) => closed.has(inode))) await lookAt(netns);
      attribution = await attribute(allSeen(), holders, noLongerThere);
    }
    const { closed, ownersOf } = attribution;
    for (const space of spaces.values()) leaveOut(space, closed);

    const all = [...spaces.values()];
    const sockets = allSeen().map((socket) => tell(socket, ownersOf(socket)));
    told = new Map(sockets.map((socket) => [socket.inode, socket]));
    return {
      sockets: sockets.sort(bySocket),
      namespaces: all.flatMap(({ namespace }) => namespace ?? []),
      tableReads,
      fullFdScans: book.walks,
      undecided: all.flatMap(({ undecided }) => undecided),
      gaps: [...all.flatMap(({ gaps }) => gaps), ...attribution.gaps],
    };
  }

  /** An unchanged socket stays the same object from look to look, so that nothing compares it again. */
  function tell(
    { row, netns }: { row: SocketRow; netns: number },
    { owners, ownersKnown }: Pick<Socket, 'owners' | 'ownersKnown'>,
  ): Socket {
    const { protocol, family, address, port, inode, uid, receiveQueue, drops } = row;
    const before = told.get(inode);
    const isAtRest =
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
    if (isAtRest) return before;
    return { protocol, family, address, port, netns, inode, uid, receiveQueue, drops, owners, ownersKnown };
  }

  /** `self` cannot vanish during the look; pid 1 stands for the host when no Filebeat runs there. */
  async function readOne(netns: number, own: number | undefined, holders: readonly Holder[], here: readonly Wanted[]) {
    const candidates: Via[] = holders
      .filter((holder) => holder.netns === netns)
      .map(({ pid, startTicks }) => ({ path: `${pid}`, process: { pid, startTicks } }));
    if (netns === own) candidates.unshift({ path: 'self' });
    else if (netns === netnsOf('1')) candidates.push({ path: '1' });
    const known = kept.rows(netns, here);
    for (const via of candidates) {
      const consensus = await readUntilFound((protocols) => readTables(procfs, via, protocols), here, known);
      if (consensus === undefined) continue;
      if (known === undefined) kept.keep(netns, consensus.rows);
      return { via, consensus };
    }
    return {};
  }

  function netnsOf(path: string): number | undefined {
    const link = procfs.link(`${path}/ns/net`);
    return link.ok ? parseNamespaceLink(link.value, 'net') : undefined;
  }

  return { scan: look };
}

/** `absent`: expected endpoints that nothing serves. `concerned`: sockets at expected endpoints, whose holder must be known. */
function compare<W extends Wanted>(here: readonly W[], { at }: Consensus): { absent: W[]; concerned: Set<SocketRow> } {
  const absent: W[] = [];
  const concerned = new Set<SocketRow>();
  for (const want of here) {
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

/** Drops sockets that closed before their holder was found. Endpoints served by such a socket alone are undecided: another may have replaced it. */
function leaveOut<W extends Wanted>(space: Space<W>, closed: ReadonlySet<number>): void {
  const gone = space.seen.filter(({ inode }) => closed.has(inode));
  if (gone.length === 0) return;
  space.seen = space.seen.filter(({ inode }) => !closed.has(inode));
  const serves = (seen: Space<W>['seen'], { protocol, port, isServedBy }: W) =>
    seen.some(({ row }) => row.protocol === protocol && row.port === port && isServedBy(row));
  const lost = space.here.filter((want) => serves(gone, want) && !serves(space.seen, want));
  space.undecided = [...space.undecided, ...lost];
}

function unseen(netns: number): Gap {
  return { reason: 'missing', subject: `network namespace ${netns}`, detail: 'no process in it can be seen' };
}

function namespacesOf(holders: readonly Holder[], wanted: readonly Wanted[]): number[] {
  const all = new Set(wanted.map(({ netns }) => netns));
  for (const { netns } of holders) if (netns !== undefined) all.add(netns);
  return [...all].sort((a, b) => a - b);
}

function isSameOwners(a: readonly Owner[], b: readonly Owner[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ pid, startTicks, comm }, at) => {
      const other = b[at]!;
      return pid === other.pid && startTicks === other.startTicks && comm === other.comm;
    })
  );
}

function bySocket(a: Socket, b: Socket): number {
  if (a.netns !== b.netns) return a.netns - b.netns;
  if (a.protocol !== b.protocol) return a.protocol === 'udp' ? -1 : 1;
  return a.port - b.port || (a.address < b.address ? -1 : a.address > b.address ? 1 : a.inode - b.inode);
}
