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
import type { ProcFs } from '../proc/proc-fs.js';
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

const SLICE_MS = 8;
const REST_FACTOR = 20;
const SHORTEST_REST_MS = 1000;

export function createOwnerBook(procfs: ProcFs, now: () => number): OwnerBook {
  const holdings = new Map<number, Holding[]>();
  let walks = 0;
  let restUntil = Number.NEGATIVE_INFINITY;

  function statOf(pid: number) {
    const text = procfs.piece(`${pid}/stat`);
    return text.ok ? parseStat(text.value) : undefined;
  }

  function verify(inodes: ReadonlySet<number>) {
    const held = new Map<number, { startTicks: number; inodes: number[] }>();
    for (const [inode, holders] of holdings) {
      const still = inodes.has(inode) ? holders.filter(({ pid, fd }) => linksTo(pid, fd, inode)) : [];
      if (still.length === 0) holdings.delete(inode);
      else if (still.length < holders.length) holdings.set(inode, still);
      for (const { pid, startTicks } of still) {
        const of = held.get(pid);
        if (of === undefined) held.set(pid, { startTicks, inodes: [inode] });
        else of.inodes.push(inode);
      }
    }
    for (const [pid, { startTicks, inodes: mine }] of held) {
      if (statOf(pid)?.startTicks === startTicks) continue;
      for (const inode of mine) drop(inode, pid);
      held.delete(pid);
    }
    return new Set(held.keys());
  }

  function linksTo(pid: number, fd: string, inode: number): boolean {
    const link = procfs.link(`${pid}/fd/${fd}`);
    return link.ok && link.value === `socket:[${inode}]`;
  }

  function drop(inode: number, pid: number) {
    const rest = (holdings.get(inode) ?? []).filter((holding) => holding.pid !== pid);
    if (rest.length === 0) holdings.delete(inode);
    else holdings.set(inode, rest);
  }

  /** What `pid` holds of these sockets; the first descriptor of each. */
  function descriptors(pid: number, inodes: ReadonlySet<number>): Map<number, string> | 'denied' | 'gone' {
    const names = procfs.list(`${pid}/fd`);
    if (!names.ok) return names.gap.reason === 'denied' ? 'denied' : 'gone';
    const found = new Map<number, string>();
    // A process with more descriptors than the limit may hold the socket; that stays unknown.
    let denied = names.value.length > limits.descriptors;
    for (const fd of names.value.slice(0, limits.descriptors)) {
      const link = procfs.link(`${pid}/fd/${fd}`);
      if (!link.ok) {
        // Without CAP_SYS_PTRACE the names can be listed (CAP_DAC_READ_SEARCH) and none of the links read.
        if (link.gap.reason !== 'denied') continue;
        denied = true;
        break;
      }
      const inode = parseSocketLink(link.value);
      if (inode !== undefined && inodes.has(inode) && !found.has(inode)) found.set(inode, fd);
    }
    return denied ? 'denied' : found;
  }

  /** `before`: the process as it was before its descriptors were read. */
  function enter(before: ProcessId, found: ReadonlyMap<number, string>) {
    if (found.size === 0) return;
    const after = statOf(before.pid);
    if (after === undefined || after.startTicks !== before.startTicks) return;
    const { pid, startTicks } = before;
    for (const [inode, fd] of found) {
      drop(inode, pid);
      const holders = [...(holdings.get(inode) ?? []), { pid, startTicks, comm: after.comm, fd }];
      holdings.set(
        inode,
        holders.sort((a, b) => a.pid - b.pid),
      );
    }
  }

  function look(process: ProcessId, inodes: ReadonlySet<number>): boolean {
    const found = descriptors(process.pid, inodes);
    if (found === 'denied') return false;
    // The process exists but its descriptors are not listed: they are hidden, not closed.
    if (found === 'gone') return statOf(process.pid)?.startTicks !== process.startTicks;
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
      const found = descriptors(pid, inodes);
      if (found === 'denied') denied++;
      else if (found !== 'gone') enter(before, found);
    }
    spent += steadyMs() - slice;
    restUntil = now() + Math.max(SHORTEST_REST_MS, REST_FACTOR * spent);
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
    listDescriptors: look,
    walk,
    isHeld: (inode) => holdings.has(inode),
    confirm: (inode) =>
      (holdings.get(inode) ?? []).some(
        ({ pid, fd, startTicks }) => linksTo(pid, fd, inode) && statOf(pid)?.startTicks === startTicks,
      ),
    owners: (inode) => (holdings.get(inode) ?? []).map(({ pid, startTicks, comm }) => ({ pid, startTicks, comm })),
    get walks() {
      return walks;
    },
    mayWalk: () => now() >= restUntil,
  };
}
