/**
 * The processes that a scan sees for the first time. Listing `/proc` costs time for every process of the host; the kernel's
 * counters tell which pids it assigned since the last scan, and usually these are few.
 *
 * `/proc` is listed in the first scan, where the counters cannot be trusted, where checking the assigned pids would cost more
 * than a listing, when the caller asks for it, and from time to time: a process restored under a chosen pid (clone3 with
 * `set_tid`) moves no counter. If a listing shows a process that the counters missed, the following scans list too; each
 * listing that confirms the counters doubles the time to the next.
 */
import type { Gap } from '../../model/model.js';
import { createPidCounter, type PidCounter, type PidRange } from '../../proc/pid-counter.js';
import type { ProcFs } from '../../proc/proc-fs.js';

export interface Arrivals {
  /** `pids` are all processes; otherwise those that appeared since the last scan, and some threads. */
  whole: boolean;
  pids: number[];
  /** The kernel assigned this pid since the last scan, so its former process has ended. */
  isNew(pid: number): boolean;
  /** The kernel's counters apply here, so that a reused pid is noticed. */
  counted: boolean;
}

export interface ProcessList {
  /** `whole`: list all processes. `isKnown`: the pid was returned before. */
  next(whole: boolean, isKnown: (pid: number) => boolean): Arrivals | Gap;
}

type Advance = ReturnType<PidCounter['advance']>;

/** Shortest and longest time between two listings while they confirm the counters. Milliseconds. */
export const FIRST_RELIST_MS = 15_000;
export const LONGEST_RELIST_MS = 300_000;
/** A pid is assigned a moment before its process is visible: it is checked again for this long. Milliseconds. */
const SETTLED_MS = 1000;
/** How many of the pids assigned just before a listing may be in that state. */
const IN_FLIGHT = 512;
/** Checking one pid costs two to three times as much as one process in a listing. */
const mostChecks = (processes: number) => Math.max(64, processes / 3);

/** `now`: milliseconds, never decreasing. `most`: with more processes than this, the caller needs all of them to choose. */
export function createProcessList(procfs: ProcFs, now: () => number, most: number): ProcessList {
  const counter = createPidCounter(procfs, now);
  /** Assigned pid without a visible process → when it was first checked. */
  const unseen = new Map<number, number>();
  let count = Number.POSITIVE_INFINITY;
  let listedAt = Number.NEGATIVE_INFINITY;
  let trustedFor = 0;

  /** The processes among the assigned pids. */
  function check(range: PidRange, at: number): Arrivals {
    const pids: number[] = [];
    const checkOne = (pid: number) => {
      if (procfs.hasProcess(pid)) {
        unseen.delete(pid);
        pids.push(pid);
        count++;
      } else if (!unseen.has(pid)) unseen.set(pid, at);
      else if (at - unseen.get(pid)! >= SETTLED_MS) unseen.delete(pid);
    };
    for (const pid of [...unseen.keys()]) checkOne(pid);
    for (let pid = range.from + 1; pid <= range.to; pid++) checkOne(pid);
    return { whole: false, pids, isNew: () => true, counted: true };
  }

  function list({ range, counted }: Advance, at: number, isKnown: (pid: number) => boolean): Arrivals | Gap {
    const listing = procfs.list('.');
    if (!listing.ok) return { ...listing.gap, subject: '/proc' };
    const pids = listing.value.filter(isPid).map(Number);
    const last = counted ? counter.lastPid() : undefined;
    // Without a range any pid may have been reused. Where nothing is counted, the recheck of each process finds that out.
    let isNew = (_pid: number) => counted;
    trustedFor = FIRST_RELIST_MS;
    if (range !== undefined && last !== undefined) {
      const { from } = range;
      isNew = (pid) => isWithin({ from, to: last }, pid);
      const isMissed = (pid: number) => !isNew(pid) && !isKnown(pid) && !unseen.has(pid);
      const doubled = Math.min(LONGEST_RELIST_MS, Math.max(FIRST_RELIST_MS, 2 * (at - listedAt)));
      trustedFor = pids.some(isMissed) ? 0 : doubled;
    }
    unseen.clear();
    if (last !== undefined) for (const pid of inFlight(last, new Set(pids))) unseen.set(pid, at);
    listedAt = at;
    count = pids.length;
    return { whole: true, pids, isNew, counted };
  }

  return {
    next(whole, isKnown) {
      const at = now();
      const advance = counter.advance();
      const { range } = advance;
      const isFew = pidsIn(range) + unseen.size <= mostChecks(count) + IN_FLIGHT;
      if (!whole && range !== undefined && isFew && count <= most && at - listedAt < trustedFor)
        return check(range, at);
      return list(advance, at, isKnown);
    },
  };
}

/** The last assigned pids without a visible process. */
function inFlight(last: number, visible: ReadonlySet<number>): number[] {
  const from = Math.max(1, last - IN_FLIGHT);
  return Array.from({ length: last - from + 1 }, (_, at) => from + at).filter((pid) => !visible.has(pid));
}

/** How many pids were assigned; infinite where that is unknown or the numbers started again from the beginning. */
function pidsIn(range: PidRange | undefined): number {
  return range === undefined || range.to < range.from ? Number.POSITIVE_INFINITY : range.to - range.from;
}

/** After the highest pid the kernel starts again at low numbers. */
function isWithin({ from, to }: PidRange, pid: number): boolean {
  return from <= to ? from < pid && pid <= to : from < pid || pid <= to;
}

function isPid(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 49 && first <= 57;
}
