/**
 * Which pids were assigned since the last scan, by two counters of the kernel: the last field of `/proc/loadavg` (kernel/pid.c
 * assigns the next free number and wraps around) and `processes` of `/proc/stat`; see proc(5).
 *
 * The first one is that of the reader's own pid namespace, whatever procfs it is read through. So it is used only if this procfs
 * shows that namespace and the file is the kernel's own.
 */
import type { ProcFs } from './proc-fs.js';
import { parseForks, parseLoad } from './process-files.js';

/** Pids assigned after `from`, up to and including `to`; if `to` is less, the numbers wrapped around. */
export interface PidRange {
  from: number;
  to: number;
}

/** Tells which pids may belong to new processes. */
export interface PidCounter {
  /**
   * `range`: since the previous call; absent where unknown, so that every process may be another one. `counted`: false where the
   * counters do not apply to this procfs.
   */
  advance(): { range?: PidRange; counted: boolean };
  /** The pid assigned last, now. */
  lastPid(): number | undefined;
}

/** After a wrap the kernel assigns no pids below this: RESERVED_PIDS in kernel/pid.c. */
const RESERVED_PIDS = 300;
/** More than any machine can do. If even so many could not use up all pids, `/proc/stat`, slow on large machines, need not be read. */
const MOST_FORKS_PER_SECOND = 100_000;

/** Assumed before the second call. */
const USUAL_INTERVAL_MS = 60_000;

interface Mark {
  at: number;
  lastPid: number;
  forks: number | undefined;
}

/** `now`: milliseconds, never going back. */
export function createPidCounter(procfs: ProcFs, now: () => number): PidCounter {
  let before: Mark | undefined;
  let isOwn: boolean | undefined;

  function forksSoFar(): number | undefined {
    const text = procfs.isKernelFile('stat') ? procfs.text('stat') : undefined;
    return text?.ok ? parseForks(text.value) : undefined;
  }

  function load() {
    isOwn ??= isOwnNamespace(procfs);
    const text = isOwn && procfs.isKernelFile('loadavg') ? procfs.piece('loadavg') : undefined;
    const load = text?.ok ? parseLoad(text.value) : undefined;
    return load === undefined || load.lastPid < 1 ? undefined : load;
  }

  function advance(): { range?: PidRange; counted: boolean } {
    const last = before;
    const at = now();
    const seen = load();
    before = undefined;
    if (seen === undefined) return { counted: false };
    const { tasks, lastPid } = seen;
    const limit = procfs.piece('sys/kernel/pid_max');
    const numbers = (limit.ok ? Number(limit.value) : 0) - RESERVED_PIDS - tasks;
    // Too short a time to use up all pids.
    const isShort = ((at - (last?.at ?? at - USUAL_INTERVAL_MS)) / 1000) * MOST_FORKS_PER_SECOND < numbers;
    const forks = isShort && last?.forks === undefined ? undefined : forksSoFar();
    before = { at, lastPid, forks };
    if (last === undefined) return { counted: true };
    const count = forks === undefined || last.forks === undefined ? undefined : forks - last.forks;
    // Half of the pids: a fork that fails late uses one up as well and is not counted.
    const isSure = isShort || (count !== undefined && count < numbers / 2);
    return { counted: true, ...(isSure && { range: { from: last.lastPid, to: lastPid } }) };
  }

  return { advance, lastPid: () => load()?.lastPid };
}

/** `NSpid:	4242	17`: the exporter's pid in the namespace that this procfs shows, then in each one below it, down to its own. */
function isOwnNamespace(procfs: ProcFs): boolean {
  if (!procfs.real) return false;
  const status = procfs.piece('self/status');
  return status.ok && /^NSpid:\t\d+$/m.test(status.value);
}
