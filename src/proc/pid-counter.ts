/**
 * Which process ids were given out since the last scan, by two counters of the kernel: the last field of `/proc/loadavg`
 * (kernel/pid.c gives out the next free number, in a circle) and `processes` of `/proc/stat`; see proc(5).
 *
 * The first one is that of the reader's own pid namespace, whatever procfs it is read through. So it counts only where
 * this procfs shows that namespace, and where the kernel itself answers.
 */
import type { ProcFs } from './proc-fs.js';
import { parseForks, parseLoad } from './process-files.js';

/** Pids given out after `from`, up to and including `to`; where `to` is less, the numbers began anew in between. */
export interface PidRange {
  from: number;
  to: number;
}

export interface PidCounter {
  /**
   * `range`: since the call before; absent where that cannot be told, so that every process may be another one.
   * `counted`: false where the counters say nothing of this procfs.
   */
  advance(): { range?: PidRange; counted: boolean };
  /** The number that was given out last, now. */
  lastPid(): number | undefined;
}

/** Below it no number is given out a second time: RESERVED_PIDS in the kernel. */
const RESERVED_PIDS = 300;
/** More tasks than any machine makes. Where so many do not use up all numbers, `/proc/stat` need not be asked: it is slow on large ones. */
const MOST_FORKS_PER_SECOND = 100_000;

/** Before two calls have shown what it is. */
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
    // Whether as many could have been made as there are numbers.
    const isShort = ((at - (last?.at ?? at - USUAL_INTERVAL_MS)) / 1000) * MOST_FORKS_PER_SECOND < numbers;
    const forks = isShort && last?.forks === undefined ? undefined : forksSoFar();
    before = { at, lastPid, forks };
    if (last === undefined) return { counted: true };
    const made = forks === undefined || last.forks === undefined ? undefined : forks - last.forks;
    // Half of the numbers: a fork that fails late has used one up as well, and is not counted.
    const isSure = isShort || (made !== undefined && made < numbers / 2);
    return { counted: true, ...(isSure && { range: { from: last.lastPid, to: lastPid } }) };
  }

  return { advance, lastPid: () => load()?.lastPid };
}

/** `NSpid:	4242	17`: our number in the namespace that this procfs shows, then in each one below, down to our own. */
function isOwnNamespace(procfs: ProcFs): boolean {
  if (!procfs.real) return false;
  const status = procfs.piece('self/status');
  return status.ok && /^NSpid:\t\d+$/m.test(status.value);
}
