/**
 * The Filebeats that run, distinguished from other processes by program and command line. Guarantees:
 * - A process that appeared since the last scan is checked (`process-list.ts`: how it is noticed).
 * - It is checked again in every scan until it was checked once YOUNG_MS after it was first seen, so that the usual fork and
 *   exec is never missed.
 * - Later it is checked from time to time (one `readlink` of `exe`) for a late exec (`recheck-queue.ts`: how often).
 * - A known Filebeat is verified in every scan by pid, start time and the stack address that its last exec chose. Everything
 *   else is read again in every scan; for ordinary users with many Filebeats, in turn (`rotation.ts`).
 */
import { limits } from '../../model/limits.js';
import type { Gap, ProcessId } from '../../model/model.js';
import { type BootClock, createBootClock } from '../../proc/boot-clock.js';
import { type ProcFs, statOf } from '../../proc/proc-fs.js';
import { parseStat } from '../../proc/process-files.js';
import { steadyMs } from '../../runtime/clock.js';
import { checkProcess, forkedCopies, isFilebeat } from './process-check.js';
import { createFactReader, type ProcessFacts, type RunningFilebeat } from './process-facts.js';
import { blockedPids, hiddenGaps, namesakeGaps, pidsWithinLimit } from './process-gaps.js';
import { type Arrivals, createProcessList } from './process-list.js';
import { createRecheckQueue, type OtherProcess } from './recheck-queue.js';
import { createRotation } from './rotation.js';

export interface ProcessScannerOptions {
  /** Names of the program besides the usual ones: `discovery.process_names`. */
  processNames?: readonly string[];
  /** False for `filebeat test`, `export`, `setup`, … */
  isCollector?: (argv: readonly string[]) => boolean;
  /** Path of the host's root; `/` by default. */
  rootfs?: string;
  /** Milliseconds, never decreasing. */
  now?: () => number;
  bootClock?: BootClock;
}

/** A process whose command line cannot be read because the read blocks. */
export interface UnreadableProcess extends ProcessId {
  unit?: string;
}

export interface ProcessScan {
  /** By pid. */
  filebeats: RunningFilebeat[];
  /** Inode of the host's network namespace. */
  hostNetns?: number;
  gaps: Gap[];
  /** False when `/proc` could not be listed. */
  usable: boolean;
  /** Some processes are invisible or unreadable (hidepid, see proc(5)): further Filebeats may run. */
  hidden: boolean;
  unreadable: UnreadableProcess[];
  /** The number of known processes, and of those that this scan checked. */
  listed: number;
  examined: number;
}

export interface ProcessScanner {
  scan(): ProcessScan;
  /** Has the next scans check these processes: they hold a socket that a Filebeat should hold, and may have become one. */
  suspect(pids: Iterable<number>): void;
}

/** One scan while it runs. */
interface Pass {
  number: number;
  startedAt: number;
  /** Pids of the Filebeats of ordinary users that it reads in full. */
  turn: ReadonlySet<number>;
  found: { facts: ProcessFacts; filebeat: RunningFilebeat }[];
  examined: number;
}

export function createProcessScanner(procfs: ProcFs, options: ProcessScannerOptions = {}): ProcessScanner {
  const { processNames: names = [], rootfs = '/', now = steadyMs, bootClock = createBootClock(procfs) } = options;
  const reader = createFactReader(procfs, rootfs, bootClock, names);
  const list = createProcessList(procfs, now, limits.processes);
  const known = new Map<number, ProcessFacts>();
  const queue = createRecheckQueue();
  const rotation = createRotation();
  /** Pid → name of a program that is named like a Filebeat and not known as one. */
  const namesakes = new Map<number, string>();
  let number = 0;

  function scan(): ProcessScan {
    const startedAt = now();
    const boot = bootClock.read();
    reader.begin();
    const before = [...known.keys()];
    const accounts = [...known].map(([pid, { identity }]) => ({ pid, account: identity.account }));
    const turn = rotation(accounts.filter(({ account }) => account !== 0));
    const pass: Pass = { number: ++number, startedAt, turn, found: [], examined: before.length };
    const verified = new Set(before.filter((pid) => addFilebeat(pid, pass)));
    // A Filebeat that ended may have a successor already: all processes are listed, whatever the counters say.
    const hasEnded = verified.size < before.length;
    const arrivals = list.next(hasEnded || queue.denied > 0, (pid) => known.has(pid) || queue.get(pid) !== undefined);
    if ('reason' in arrivals) return unusable(arrivals, pass);
    const excess = checkArrivals(arrivals, verified, pass);
    for (const [pid, process] of queue.due(pass.number, pass.startedAt, arrivals.counted)) check(pid, process, pass);

    for (const pid of namesakes.keys()) if (known.has(pid) || !procfs.hasProcess(pid)) namesakes.delete(pid);
    const hidden = [...hiddenGaps(procfs, queue.denied), ...excess];
    const hostNetns = reader.hostNetns();
    const copies = forkedCopies(pass.found.map(({ facts }) => facts));
    const filebeats = pass.found.filter(({ facts }) => !copies.has(facts.process.pid));
    return {
      filebeats: filebeats.map(({ filebeat }) => filebeat).sort((a, b) => a.process.pid - b.process.pid),
      ...(hostNetns !== undefined && { hostNetns }),
      gaps: [
        ...hidden,
        ...namesakeGaps(procfs, namesakes),
        ...boot.gaps,
        ...filebeats.flatMap(({ facts }) => facts.gaps),
      ],
      usable: true,
      hidden: hidden.length > 0,
      unreadable: unreadable(),
      listed: queue.size + known.size,
      examined: pass.examined,
    };
  }

  /** Verifies a known Filebeat, or reads a new one. False: the process is none, or none any more. */
  function addFilebeat(pid: number, pass: Pass): boolean {
    let facts = known.get(pid);
    const isInTurn = facts?.identity.account === 0 || pass.turn.has(pid);
    if (facts?.described !== undefined && !isInTurn && reader.isUnchanged(facts)) {
      pass.found.push({ facts, filebeat: facts.described });
      return true;
    }
    let stat = facts && reader.verify(facts);
    if (stat === undefined) {
      facts = reader.read(pid);
      // It may exec or end while it is read.
      if (facts && isFilebeat(facts.process.executable, facts.argv, names, options.isCollector))
        stat = reader.verify(facts);
    }
    if (facts === undefined || stat === undefined) {
      known.delete(pid);
      return false;
    }
    known.set(pid, facts);
    queue.delete(pid);
    pass.found.push({ facts, filebeat: reader.describe(facts, stat) });
    return true;
  }

  /** Checks the processes that this scan sees for the first time. Returns a gap where there are too many. */
  function checkArrivals(arrivals: Arrivals, verified: ReadonlySet<number>, pass: Pass): Gap[] {
    const { length } = arrivals.pids;
    const pids = length > limits.processes ? pidsWithinLimit(procfs, arrivals.pids, known) : arrivals.pids;
    if (arrivals.whole) queue.keepOnly(new Set(pids));
    for (const pid of pids) {
      if (verified.has(pid)) continue;
      const isNew = arrivals.whole ? queue.get(pid) === undefined || arrivals.isNew(pid) : isProcess(pid);
      if (isNew) check(pid, undefined, pass);
    }
    if (pids.length === length) return [];
    return [{ reason: 'limit', subject: '/proc', detail: `${length} processes; only ${pids.length} are checked` }];
  }

  function check(pid: number, before: OtherProcess | undefined, pass: Pass): void {
    pass.examined++;
    const { isCandidate, isUnchanged, hasEnded, namesake, ...seen } = checkProcess(procfs, pid, before, names);
    if (isCandidate && addFilebeat(pid, pass)) return;
    if (namesake !== undefined) namesakes.set(pid, namesake);
    else if (!isUnchanged) namesakes.delete(pid);
    const firstSeen = before?.firstSeen ?? pass.startedAt;
    const isKernelThread = () => statOf(procfs, pid)?.kernelThread === true;
    if (hasEnded) queue.delete(pid);
    else queue.add(pid, { ...seen, firstSeen, scan: pass.number }, pass.startedAt, isKernelThread);
  }

  /** Not a thread of a process. One that may not be read counts as a process, so that it is reported. */
  function isProcess(pid: number): boolean {
    const text = procfs.piece(`${pid}/stat`);
    return text.ok ? parseStat(text.value)?.isThread === false : text.gap.reason === 'denied';
  }

  /** Any of them may be a Filebeat known from earlier, or the Filebeat of its unit. */
  function unreadable(): UnreadableProcess[] {
    return blockedPids(procfs).flatMap((pid) => {
      const stat = known.has(pid) ? undefined : statOf(procfs, pid);
      if (stat === undefined || stat.exiting) return [];
      const { unit } = reader.membershipOf(pid);
      return [{ pid, startTicks: stat.startTicks, ...(unit === undefined ? {} : { unit }) }];
    });
  }

  return {
    scan,
    suspect(pids) {
      for (const pid of pids) queue.markYoung(pid, now());
    },
  };
}

function unusable(gap: Gap, { examined }: Pass): ProcessScan {
  return { filebeats: [], gaps: [gap], usable: false, hidden: true, unreadable: [], listed: 0, examined };
}
