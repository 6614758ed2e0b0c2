/**
 * Who holds a socket: links `/proc/<pid>/fd/<n>` → `socket:[inode]`; see proc(5).
 *
 * Order of reads: the process scan reads start times, then the tables are read, then the links, then start times again. A
 * holder counts only if its link was seen after the row and its start time did not change. That rules out reused pids and
 * descriptors closed in between.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { limits } from '../model/limits.js';
import type { Gap, Owner, ProcessId } from '../model/model.js';
import { type ProcFs, statOf } from '../proc/proc-fs.js';
import { parseSocketLink, parseStat } from '../proc/process-files.js';
import { steadyMs } from '../runtime/clock.js';
import { addToGroup, type Groups } from '../runtime/group-by.js';

/** A process that holds a socket, and the link that proves it. */
interface Holding {
  owner: Owner;
  /** `/proc/4242/fd/7`, absolute. */
  link: string;
}

/** Never changed: a check that finds everything as it was makes nothing new. */
interface HeldSocket {
  /** `socket:[1187448]`: the target of each link. */
  target: string;
  /** By pid. */
  holdings: readonly Holding[];
  owners: readonly Owner[];
}

const NOBODY: readonly Owner[] = [];

export interface OwnerBook {
  /** Verifies the known holders of these sockets with one readlink each, forgets all other sockets, returns the pids that hold any. */
  verify(inodes: ReadonlySet<number>): ReadonlySet<number>;
  /** Lists a process's descriptors; false when that is denied. A process that is gone holds nothing. */
  listDescriptors(process: ProcessId, inodes: ReadonlySet<number>): boolean;
  /** Scans the descriptors of every process, a few milliseconds at a time. */
  walk(inodes: ReadonlySet<number>, except: ReadonlySet<number>): Promise<{ complete: boolean; gaps: Gap[] }>;
  /** Number of sockets whose holder is known. After `verify`, of the verified ones. */
  readonly held: number;
  /** Whether a holder is known. */
  isHeld(inode: number): boolean;
  /** Those of the sockets that a known holder still has open, by one readlink each. Of others this says nothing. */
  confirm(inodes: readonly number[]): Set<number>;
  /** By pid; the same array while they are the same. */
  owners(inode: number): readonly Owner[];
  /** Full scans so far. */
  readonly walks: number;
  /** Full scans may take at most a twentieth of the time; one that would exceed that has to wait. */
  mayWalk(): boolean;
}

/** A full scan lets other work run after this time. */
const SLICE_MS = 8;
/** The pause after a full scan is this many times its duration. */
const PAUSE_FACTOR = 20;
const SHORTEST_PAUSE_MS = 1000;

export function createOwnerBook(procfs: ProcFs, now: () => number): OwnerBook {
  /** By inode. */
  const held = new Map<number, HeldSocket>();
  /** By pid. */
  let processes = new Map<number, Owner>();
  let walks = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  const isSame = ({ pid, startTicks }: ProcessId) => statOf(procfs, pid)?.startTicks === startTicks;

  function verify(inodes: ReadonlySet<number>) {
    const holders = new Set<Owner>();
    const closed = new Set<Holding>();
    for (const [inode, { target, holdings }] of held) {
      if (!inodes.has(inode)) {
        held.delete(inode);
        continue;
      }
      for (const holding of holdings) {
        if (procfs.isLinkTo(holding.link, target)) holders.add(holding.owner);
        else closed.add(holding);
      }
      if (closed.size > 0) keep(inode, (one) => !closed.has(one));
    }
    for (const owner of holders) {
      if (isSame(owner)) continue;
      for (const inode of held.keys()) keep(inode, (one) => one.owner !== owner);
      holders.delete(owner);
    }
    processes = new Map([...holders].map((owner) => [owner.pid, owner]));
    return new Set(processes.keys());
  }

  function confirm(inodes: readonly number[]) {
    const open: Groups<Owner, number> = new Map();
    for (const inode of inodes) {
      const { target = '', holdings = [] } = held.get(inode) ?? {};
      for (const { owner, link } of holdings) if (procfs.isLinkTo(link, target)) addToGroup(open, owner, inode);
    }
    return new Set([...open].flatMap(([owner, its]) => (isSame(owner) ? its : [])));
  }

  /** Forgets the holders that do not pass. */
  function keep(inode: number, passes: (one: Holding) => boolean) {
    const before = held.get(inode)?.holdings ?? [];
    const holdings = before.filter(passes);
    if (holdings.length === 0) held.delete(inode);
    else if (holdings.length < before.length) held.set(inode, heldSocket(inode, holdings));
  }

  /** `before`: the process as it was before its descriptors were read. */
  function enter(before: ProcessId, descriptors: ReadonlyMap<number, string>) {
    if (descriptors.size === 0) return;
    const { pid, startTicks } = before;
    const after = statOf(procfs, pid);
    if (after === undefined || after.startTicks !== startTicks) return;
    const owner = ownerOf({ pid, startTicks, comm: after.comm });
    for (const [inode, fd] of descriptors) {
      const link = `${procfs.root}/${pid}/fd/${fd}`;
      const holdings = held.get(inode)?.holdings ?? [];
      if (holdings.some((one) => one.owner === owner && one.link === link)) continue;
      const others = holdings.filter((one) => one.owner.pid !== pid);
      held.set(inode, heldSocket(inode, [...others, { owner, link }]));
    }
  }

  /** The same object for each socket of a process, and from scan to scan. */
  function ownerOf(owner: Owner): Owner {
    const known = processes.get(owner.pid);
    if (known !== undefined && known.startTicks === owner.startTicks && known.comm === owner.comm) return known;
    processes.set(owner.pid, owner);
    return owner;
  }

  function listDescriptors(process: ProcessId, inodes: ReadonlySet<number>): boolean {
    const found = socketsOf(procfs, process.pid, inodes);
    if (found === 'denied') return false;
    // The process exists but its descriptors are not listed: they are hidden, not closed.
    if (found === 'gone') return !isSame(process);
    enter(process, found);
    return true;
  }

  async function walk(inodes: ReadonlySet<number>, except: ReadonlySet<number>) {
    walks++;
    let spent = 0;
    let slice = steadyMs();
    let denied = 0;
    const listing = procfs.list('.');
    for (const name of listing.ok ? listing.value : []) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || except.has(pid)) continue;
      if (steadyMs() - slice > SLICE_MS) {
        spent += steadyMs() - slice;
        await nextTurn();
        slice = steadyMs();
      }
      const stat = procfs.piece(`${pid}/stat`);
      const before = stat.ok ? parseStat(stat.value) : undefined;
      if (!stat.ok && stat.gap.reason === 'denied') denied++;
      if (before === undefined || before.kernelThread) continue;
      const found = socketsOf(procfs, pid, inodes);
      if (found === 'denied') denied++;
      else if (found !== 'gone') enter(before, found);
    }
    spent += steadyMs() - slice;
    pausedUntil = now() + Math.max(SHORTEST_PAUSE_MS, PAUSE_FACTOR * spent);
    const gaps: Gap[] = [];
    if (!listing.ok) gaps.push({ ...listing.gap, subject: '/proc' });
    // With hidepid not even pid 1 is listed.
    else if (procfs.real && !listing.value.includes('1'))
      gaps.push({ reason: 'denied', subject: '/proc', detail: 'processes of other users are hidden' });
    if (denied > 0)
      gaps.push({ reason: 'denied', subject: '/proc/*/fd', detail: `descriptors of ${denied} processes` });
    return { complete: gaps.length === 0, gaps };
  }

  return {
    verify,
    listDescriptors,
    walk,
    isHeld: (inode) => held.has(inode),
    confirm,
    owners: (inode) => held.get(inode)?.owners ?? NOBODY,
    get held() {
      return held.size;
    },
    get walks() {
      return walks;
    },
    mayWalk: () => now() >= pausedUntil,
  };
}

function heldSocket(inode: number, holdings: readonly Holding[]): HeldSocket {
  const byPid = [...holdings].sort((a, b) => a.owner.pid - b.owner.pid);
  return { target: `socket:[${inode}]`, holdings: byPid, owners: byPid.map(({ owner }) => owner) };
}

/** Which of these sockets a process holds: inode → its first descriptor of each. */
function socketsOf(procfs: ProcFs, pid: number, inodes: ReadonlySet<number>): Map<number, string> | 'denied' | 'gone' {
  const names = procfs.list(`${pid}/fd`);
  if (!names.ok) return names.gap.reason === 'denied' ? 'denied' : 'gone';
  // A process with more descriptors than the limit may hold the socket; that stays unknown.
  if (names.value.length > limits.descriptors) return 'denied';
  const found = new Map<number, string>();
  for (const fd of names.value) {
    const link = procfs.link(`${pid}/fd/${fd}`);
    // Without CAP_SYS_PTRACE the names can be listed (CAP_DAC_READ_SEARCH) and none of the links read.
    if (!link.ok && link.gap.reason === 'denied') return 'denied';
    const inode = link.ok ? parseSocketLink(link.value) : undefined;
    if (inode !== undefined && inodes.has(inode) && !found.has(inode)) found.set(inode, fd);
  }
  return found;
}
