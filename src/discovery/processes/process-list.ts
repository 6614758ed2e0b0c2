/**
 * Which processes a scan has to look at for the first time. Listing `/proc` costs what the host has processes; the
 * kernel's counters tell which numbers were given out since the last scan, and mostly those are few.
 *
 * All are listed at the first scan, where the counters cannot tell, where more numbers were given out than a listing
 * costs, when a caller has a reason, and every now and then: a process that was restored under a number of its choice
 * (clone3 with `set_tid`) moves no counter. A listing that shows one of which the counters knew nothing makes the next
 * scans list, and each one that confirms them doubles the time to the next.
 */
import type { Gap } from '../../model/model.js';
import { createPidCounter, type PidRange } from '../../proc/pid-counter.js';
import type { ProcFs } from '../../proc/proc-fs.js';

export interface Arrivals {
  /** All processes that there are; else those that came since the scan before, and some threads. */
  whole: boolean;
  pids: number[];
  /** The number was given out since the scan before: whoever had it then is gone. */
  isNew(pid: number): boolean;
  /** The counters of this kernel count here, so that a number given out again is noticed. */
  counted: boolean;
}

export interface ProcessList {
  /** `whole`: list them all. `isKnown`: it was told before. */
  next(whole: boolean, isKnown: (pid: number) => boolean): Arrivals | Gap;
}

/** Between listings that confirm the counters. Milliseconds. */
export const FIRST_RELIST_MS = 15_000;
export const LONGEST_RELIST_MS = 300_000;
/** A number is given out a moment before its process can be seen: asked after again until so long after. Milliseconds. */
const SETTLED_MS = 1000;
/** Numbers given out right before a listing that may be in that state. */
const IN_FLIGHT = 512;
/** A number costs two to three times what a listed process does. */
const MOST_NUMBERS = (processes: number) => Math.max(64, processes / 3);

/** `now`: milliseconds, never going back. `most`: beyond so many processes the caller has to choose among them. */
export function createProcessList(procfs: ProcFs, now: () => number, most: number): ProcessList {
  const counter = createPidCounter(procfs, now);
  /** Number without a process → when it was first asked after. */
  const unseen = new Map<number, number>();
  let count = Number.POSITIVE_INFINITY;
  let listedAt = Number.NEGATIVE_INFINITY;
  let trustedFor = 0;

  function numbersIn(range: PidRange | undefined): number {
    if (range === undefined || range.to < range.from) return Number.POSITIVE_INFINITY;
    return range.to - range.from;
  }

  function ask(range: PidRange, at: number): Arrivals {
    const pids: number[] = [];
    const check = (pid: number) => {
      if (procfs.hasProcess(pid)) {
        unseen.delete(pid);
        pids.push(pid);
        count++;
      } else if (!unseen.has(pid)) unseen.set(pid, at);
      else if (at - unseen.get(pid)! >= SETTLED_MS) unseen.delete(pid);
    };
    for (const pid of [...unseen.keys()]) check(pid);
    for (let pid = range.from + 1; pid <= range.to; pid++) check(pid);
    return { whole: false, pids, isNew: () => true, counted: true };
  }

  function list(range: PidRange | undefined, counted: boolean, at: number, isKnown: (pid: number) => boolean) {
    const listing = procfs.list('.');
    if (!listing.ok) return { ...listing.gap, subject: '/proc' };
    const pids = listing.value.filter(isPid).map(Number);
    const last = counted ? counter.lastPid() : undefined;
    // Without a range any pid may be another process by now. Where nothing is ever counted, that shows when its turn comes.
    let isNew = (_pid: number) => counted;
    if (range !== undefined && last !== undefined) {
      const { from } = range;
      isNew = (pid) => isWithin({ from, to: last }, pid);
      const isSurprise = pids.some((pid) => !isNew(pid) && !isKnown(pid) && !unseen.has(pid));
      trustedFor = isSurprise ? 0 : Math.min(LONGEST_RELIST_MS, Math.max(FIRST_RELIST_MS, 2 * (at - listedAt)));
    } else trustedFor = FIRST_RELIST_MS;
    unseen.clear();
    if (last !== undefined) {
      const there = new Set(pids);
      for (let pid = Math.max(1, last - IN_FLIGHT); pid <= last; pid++) if (!there.has(pid)) unseen.set(pid, at);
    }
    listedAt = at;
    count = pids.length;
    return { whole: true, pids, isNew, counted };
  }

  return {
    next(whole, isKnown) {
      const at = now();
      const { range, counted } = counter.advance();
      const isFew = numbersIn(range) + unseen.size <= MOST_NUMBERS(count) + IN_FLIGHT;
      if (!whole && range !== undefined && isFew && count <= most && at - listedAt < trustedFor) return ask(range, at);
      return list(range, counted, at, isKnown);
    },
  };
}

/** Numbers are given out in a circle. */
function isWithin({ from, to }: PidRange, pid: number): boolean {
  return from <= to ? from < pid && pid <= to : from < pid || pid <= to;
}

function isPid(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 49 && first <= 57;
}
