/**
 * When processes that are not Filebeats are checked again. Each of them may become one by exec, which the kernel does not
 * count. A new process is checked in every scan until it was checked once YOUNG_MS after it was first seen, since exec
 * usually follows fork at once. From then on, programs that exec others (shells, interpreters, supervisors, container
 * runtimes) are checked often and all others seldom. A kernel thread never execs, but when it ends, a process may get its
 * pid unnoticed: kernel threads are checked every few minutes.
 */
import { basename } from 'node:path';
import { containerEngines, supervisors } from '../launch/known-programs.js';
import { launchers } from '../launch/launchers/launcher-table.js';

export const YOUNG_MS = 10_000;
/** Within this time each process is checked, unless the limits per scan delay it. */
export const ROTATION_MS = 60_000;
/** The same for kernel threads. */
export const KERNEL_ROTATION_MS = 300_000;
/** Most checks per scan, whatever the size of the host. */
export const OFTEN_PER_SCAN = 64;
export const SELDOM_PER_SCAN = 64;

export interface OtherProcess {
  /** Target of `exe`, or the beginning of `cmdline` where `exe` cannot be read; undefined: neither can be read. */
  program: string | undefined;
  isFromExe: boolean;
  /** Neither `exe` nor `cmdline` may be read. */
  denied: boolean;
  firstSeen: number;
  /** Number of the last scan that checked it. */
  scan: number;
}

export interface RecheckQueue {
  readonly size: number;
  /** How many of the processes may not be read. */
  readonly denied: number;
  get(pid: number): OtherProcess | undefined;
  /** Records that scan number `scan` checked it and found the same program. False: it is not young any more, and has to be added. */
  confirm(pid: number, process: OtherProcess, scan: number, now: number): boolean;
  /** Records a check at `now`. `isKernelThread` is called only for a process that is not young any more. */
  add(pid: number, process: OtherProcess, now: number, isKernelThread: () => boolean): void;
  delete(pid: number): void;
  /** Treats it as young again, so that the next scans check it. */
  markYoung(pid: number, now: number): void;
  keepOnly(pids: ReadonlySet<number>): void;
  /** The processes to check now, without those that this scan has checked. `bounded`: apply the limits per scan. */
  due(scan: number, now: number, bounded: boolean): [pid: number, process: OtherProcess][];
}

export function createRecheckQueue(): RecheckQueue {
  // Each map is in the order of the last check: the first entry has waited longest.
  const young = new Map<number, OtherProcess>();
  const often = new Map<number, OtherProcess>();
  const seldom = new Map<number, OtherProcess>();
  const kernelThreads = new Map<number, OtherProcess>();
  const all = [young, often, seldom, kernelThreads];
  const denied = new Set<number>();
  let lastDue: number | undefined;

  function remove(pid: number) {
    for (const map of all) map.delete(pid);
    denied.delete(pid);
  }

  return {
    get size() {
      return young.size + often.size + seldom.size + kernelThreads.size;
    },
    get denied() {
      return denied.size;
    },
    get: (pid) => young.get(pid) ?? often.get(pid) ?? seldom.get(pid) ?? kernelThreads.get(pid),
    confirm(pid, process, scan, now) {
      process.scan = scan;
      const map = all.find((one) => one.has(pid));
      if (map === undefined || (map === young && now - process.firstSeen >= YOUNG_MS)) return false;
      map.delete(pid);
      map.set(pid, process);
      return true;
    },
    add(pid, process, now, isKernelThread) {
      const { program } = process;
      // Usually nothing has changed, and it goes back to the end of its map.
      const before = [often, seldom, kernelThreads].find((map) => map.has(pid) && map.get(pid)!.program === program);
      remove(pid);
      if (process.denied) denied.add(pid);
      if (now - process.firstSeen < YOUNG_MS) young.set(pid, process);
      else if (before !== undefined) before.set(pid, process);
      else if (program !== undefined && execsOthers(program)) often.set(pid, process);
      else if (!process.isFromExe && !process.denied && isKernelThread()) kernelThreads.set(pid, process);
      else seldom.set(pid, process);
    },
    delete: remove,
    markYoung(pid, now) {
      const process = often.get(pid) ?? seldom.get(pid) ?? kernelThreads.get(pid);
      if (process === undefined) return;
      remove(pid);
      young.set(pid, { ...process, firstSeen: now });
      if (process.denied) denied.add(pid);
    },
    keepOnly(pids) {
      for (const map of all) for (const pid of map.keys()) if (!pids.has(pid)) remove(pid);
    },
    due(scan, now, bounded) {
      const passed = lastDue === undefined ? 0 : now - lastDue;
      lastDue = now;
      const shareOf = ({ size }: { size: number }, rotation = ROTATION_MS) =>
        Math.ceil(size * Math.min(1, passed / rotation));
      return [
        ...first(young, young.size, scan),
        ...first(often, bounded ? OFTEN_PER_SCAN : Math.max(OFTEN_PER_SCAN, shareOf(often)), scan),
        ...first(seldom, bounded ? Math.min(SELDOM_PER_SCAN, shareOf(seldom)) : shareOf(seldom), scan),
        ...first(kernelThreads, shareOf(kernelThreads, KERNEL_ROTATION_MS), scan),
      ];
    },
  };
}

/** The first `most` entries that this scan has not checked. */
function first(queue: ReadonlyMap<number, OtherProcess>, most: number, scan: number): [number, OtherProcess][] {
  const entries: [number, OtherProcess][] = [];
  for (const entry of queue) {
    if (entries.length >= most) break;
    if (entry[1].scan !== scan) entries.push(entry);
  }
  return entries;
}

/** Shells, interpreters, programs that a container runs before its own, and pid 1 of containers. */
const STARTERS =
  /^(?:(?:ba|da|a|z|c|tc|k|mk|pdk|lk|ya|fi|po|rba)?sh|busybox|toybox|execlineb|(?:python|perl|ruby|lua|php|node|tclsh|pypy)[\d.-]*|nodejs|rubyw?|runc.*|memfd:.*|youki|conmon(?:rs)?|containerd-shim.*|docker-init|tini(?:-static)?|dumb-init|catatonit|my_init|systemd|systemd-executor|(?:ld-|ld\.so|qemu-).*)$/;

/** `program`: a path, or the beginning of a command line. */
function execsOthers(program: string): boolean {
  const name = basename(program.split('\0')[0]!.replace(/ \(deleted\)$/, '')).replace(/^-/, '');
  return (
    STARTERS.test(name) ||
    Object.hasOwn(launchers, name) ||
    Object.hasOwn(supervisors, name) ||
    containerEngines.has(name)
  );
}
