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

interface Holding extends Owner {
  fd: string;
}

export interface OwnerBook {
  /** Verifies the known holders of these sockets with one readlink each, forgets all other sockets, returns the pids that hold any. */
  verify(inodes: ReadonlySet<number>): Set<number>;
  /** Lists a process's descriptors; false when that is denied. A process that is gone holds nothing. */
  listDescriptors(process: ProcessId, inodes: ReadonlySet<number>): boolean;
  /** Scans the descriptors of every process, a few milliseconds at a time. */
  walk(inodes: ReadonlySet<number>, except: ReadonlySet<number>): Promise<{ complete: boolean; gaps: Gap[] }>;
  /** Whether a holder is known. */
  isHeld(inode: number): boolean;
  /** Whether a known holder still has the socket open, by one readlink each. False says nothing about unknown holders. */
  confirm(inode: number): boolean;
  /** By pid. */
  owners(inode: number): Owner[];
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
  const holdings = new Map<number, Holding[]>();
  let walks = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  const isSame = ({ pid, startTicks }: ProcessId) => statOf(procfs, pid)?.startTicks === startTicks;
  const links = (inode: number, { pid, fd }: Holding) => linksTo(procfs, pid, fd, inode);

  function verify(inodes: ReadonlySet<number>) {
    const held = new Map<number, { startTicks: number; inodes: number[] }>();
    for (const [inode, holders] of holdings) {
      const open = inodes.has(inode) ? holders.filter((holder) => links(inode, holder)) : [];
      if (open.length < holders.length) replace(inode, open);
      for (const { pid, startTicks } of open) {
        const process = held.get(pid);
        if (process === undefined) held.set(pid, { startTicks, inodes: [inode] });
        else process.inodes.push(inode);
      }
    }
    for (const [pid, { startTicks, inodes: mine }] of held) {
      if (isSame({ pid, startTicks })) continue;
      for (const inode of mine) removeHolder(inode, pid);
      held.delete(pid);
    }
    return new Set(held.keys());
  }

  function replace(inode: number, holders: Holding[]) {
    if (holders.length === 0) holdings.delete(inode);
    else holdings.set(inode, holders);
  }

  function removeHolder(inode: number, pid: number) {
    replace(
      inode,
      (holdings.get(inode) ?? []).filter((holder) => holder.pid !== pid),
    );
  }

  /** `before`: the process as it was before its descriptors were read. */
  function enter(before: ProcessId, descriptors: ReadonlyMap<number, string>) {
    if (descriptors.size === 0) return;
    const { pid, startTicks } = before;
    const after = statOf(procfs, pid);
    if (after === undefined || after.startTicks !== startTicks) return;
    for (const [inode, fd] of descriptors) {
      removeHolder(inode, pid);
      const holders = [...(holdings.get(inode) ?? []), { pid, startTicks, comm: after.comm, fd }];
      holdings.set(
        inode,
        holders.sort((a, b) => a.pid - b.pid),
      );
    }
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
    isHeld: (inode) => holdings.has(inode),
    confirm: (inode) => (holdings.get(inode) ?? []).some((holder) => links(inode, holder) && isSame(holder)),
    owners: (inode) => (holdings.get(inode) ?? []).map(({ pid, startTicks, comm }) => ({ pid, startTicks, comm })),
    get walks() {
      return walks;
    },
    mayWalk: () => now() >= pausedUntil,
  };
}

function linksTo(procfs: ProcFs, pid: number, fd: string, inode: number): boolean {
  const link = procfs.link(`${pid}/fd/${fd}`);
  return link.ok && link.value === `socket:[${inode}]`;
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
