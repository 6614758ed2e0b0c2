/**
 * Whose turn it is among processes that are no Filebeats: each of them may become one by exec, and the kernel counts no
 * execs. Whoever is new is looked at in every scan until it was looked at once with YOUNG_MS behind it: fork and exec
 * mostly follow each other at once. Later those come often that run programs which start others in their own place
 * (shells, interpreters, supervisors, container runtimes), the rest seldom. A thread of the kernel execs nothing, but when
 * it has ended its number may go to a process without that being noticed: these are looked at every few minutes.
 */
import { basename } from 'node:path';
import { containerEngines, supervisors } from '../launch/known-programs.js';
import { launchers } from '../launch/launchers/launcher-table.js';

export const YOUNG_MS = 10_000;
/** Within so long each one is looked at, as far as the numbers below allow. */
export const ROTATION_MS = 60_000;
/** The same for threads of the kernel. */
export const KERNEL_ROTATION_MS = 300_000;
/** So many in one scan at most, whatever the host's size. */
export const OFTEN_PER_SCAN = 64;
export const SELDOM_PER_SCAN = 64;

export interface OtherProcess {
  /** `exe`'s target, or the beginning of `cmdline` where that cannot be read; undefined: neither could. */
  trait: string | undefined;
  byLink: boolean;
  /** Neither its `exe` nor its `cmdline` may be read. */
  denied: boolean;
  firstSeen: number;
  /** Number of the last scan that looked at it. */
  scan: number;
}

export interface LookQueue {
  readonly size: number;
  /** How many of them may not be looked at. */
  readonly denied: number;
  get(pid: number): OtherProcess | undefined;
  /** It was looked at, at `now`; `isKernels` is asked when it is not young any more. */
  add(pid: number, one: OtherProcess, now: number, isKernels: () => boolean): void;
  delete(pid: number): void;
  /** It is young again. */
  hurry(pid: number, now: number): void;
  keepOnly(pids: ReadonlySet<number>): void;
  /** Those to be looked at now, of whom none was in this scan; `bounded`: at most so many. */
  due(scan: number, now: number, bounded: boolean): [pid: number, one: OtherProcess][];
}

export function createLookQueue(): LookQueue {
  // Each in the order in which they were last looked at: those who wait longest come first.
  const young = new Map<number, OtherProcess>();
  const often = new Map<number, OtherProcess>();
  const seldom = new Map<number, OtherProcess>();
  const kernels = new Map<number, OtherProcess>();
  const all = [young, often, seldom, kernels];
  const denied = new Set<number>();
  let before: number | undefined;

  function remove(pid: number) {
    for (const map of all) map.delete(pid);
    denied.delete(pid);
  }

  return {
    get size() {
      return young.size + often.size + seldom.size + kernels.size;
    },
    get denied() {
      return denied.size;
    },
    get: (pid) => young.get(pid) ?? often.get(pid) ?? seldom.get(pid) ?? kernels.get(pid),
    add(pid, one, now, isKernels) {
      // Mostly nothing has changed, and it goes back to the end of its queue.
      const queue = [often, seldom, kernels].find((map) => map.get(pid)?.trait === one.trait && map.has(pid));
      remove(pid);
      if (one.denied) denied.add(pid);
      if (now - one.firstSeen < YOUNG_MS) young.set(pid, one);
      else if (queue !== undefined) queue.set(pid, one);
      else if (one.trait !== undefined && mayBecomeAnother(one.trait)) often.set(pid, one);
      else if (!one.byLink && !one.denied && isKernels()) kernels.set(pid, one);
      else seldom.set(pid, one);
    },
    delete: remove,
    hurry(pid, now) {
      const one = [often, seldom, kernels].map((map) => map.get(pid)).find((found) => found !== undefined);
      if (one === undefined) return;
      remove(pid);
      young.set(pid, { ...one, firstSeen: now });
      if (one.denied) denied.add(pid);
    },
    keepOnly(pids) {
      for (const map of all) for (const pid of map.keys()) if (!pids.has(pid)) remove(pid);
    },
    due(scan, now, bounded) {
      const passed = before === undefined ? 0 : now - before;
      before = now;
      const turns = ({ size }: { size: number }, within = ROTATION_MS) =>
        Math.ceil(size * Math.min(1, passed / within));
      return [
        ...first(young, young.size, scan),
        ...first(often, bounded ? OFTEN_PER_SCAN : Math.max(OFTEN_PER_SCAN, turns(often)), scan),
        ...first(seldom, bounded ? Math.min(SELDOM_PER_SCAN, turns(seldom)) : turns(seldom), scan),
        ...first(kernels, turns(kernels, KERNEL_ROTATION_MS), scan),
      ];
    },
  };
}

function first(queue: ReadonlyMap<number, OtherProcess>, most: number, scan: number): [number, OtherProcess][] {
  const found: [number, OtherProcess][] = [];
  for (const entry of queue) {
    if (found.length >= most) break;
    if (entry[1].scan !== scan) found.push(entry);
  }
  return found;
}

/** Shells, interpreters, what runs in a container before its program, and pid 1 of containers. */
const STARTERS =
  /^(?:(?:ba|da|a|z|c|tc|k|mk|pdk|lk|ya|fi|po|rba)?sh|busybox|toybox|execlineb|(?:python|perl|ruby|lua|php|node|tclsh|pypy)[\d.-]*|nodejs|rubyw?|runc.*|memfd:.*|youki|conmon(?:rs)?|containerd-shim.*|docker-init|tini(?:-static)?|dumb-init|catatonit|my_init|systemd|systemd-executor|(?:ld-|ld\.so|qemu-).*)$/;

/** `trait`: path of a program, or the beginning of a command line. */
function mayBecomeAnother(trait: string): boolean {
  const name = basename(trait.split('\0')[0]!.replace(/ \(deleted\)$/, '')).replace(/^-/, '');
  return (
    STARTERS.test(name) ||
    Object.hasOwn(launchers, name) ||
    Object.hasOwn(supervisors, name) ||
    containerEngines.has(name)
  );
}
