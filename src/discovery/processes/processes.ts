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
import { checkProcess, forkedCopies, isFilebeat, runsSameProgram } from './process-check.js';
import { FactReader, type ProcessFacts, type RunningFilebeat } from './process-facts.js';
import { blockedPids, hiddenGaps, namesakeGaps, pidsWithinLimit } from './process-gaps.js';
import { type Arrivals, createProcessList } from './process-list.js';
import { createRecheckQueue, type OtherProcess, type RecheckQueue } from './recheck-queue.js';
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
  /** Makes the next scans check these processes: they hold a socket that a Filebeat should hold, and may have become one. */
  suspect(pids: Iterable<number>): void;
}

export function createProcessScanner(procfs: ProcFs, options: ProcessScannerOptions = {}): ProcessScanner {
  const { processNames: names = [], rootfs = '/', now = steadyMs, bootClock = createBootClock(procfs) } = options;
  const list = createProcessList(procfs, now, limits.processes);
  const rotation = createRotation();
  const memory: ScanMemory = {
    procfs,
    reader: new FactReader(procfs, rootfs, bootClock, names),
    known: new Map(),
    queue: createRecheckQueue(),
    namesakes: new Map(),
    isFilebeat: ({ process, argv }) => isFilebeat(process.executable, argv, names, options.isCollector),
    names,
  };
  const { reader, known, queue } = memory;
  let number = 0;

  return {
    scan() {
      const startedAt = now();
      const boot = bootClock.read();
      reader.begin();
      const accounts = [...known].map(([pid, { identity }]) => ({ pid, account: identity.account }));
      const turn = rotation(accounts.filter(({ account }) => account !== 0));
      const pass = new Pass(memory, { number: ++number, startedAt, turn });
      const isComplete = pass.verifyKnown();
      // A Filebeat that ended may have a successor already: all processes are listed, whatever the counters say.
      const isKnown = (pid: number) => known.has(pid) || queue.get(pid) !== undefined;
      const arrivals = list.next(!isComplete || queue.denied > 0, isKnown);
      if ('reason' in arrivals) return unusable(arrivals, pass.examined);
      const excess = pass.checkArrivals(arrivals);
      pass.recheck(arrivals.counted);
      return pass.result(excess, boot.gaps);
    },
    suspect(pids) {
      for (const pid of pids) queue.markYoung(pid, now());
    },
  };
}

/** What outlives a scan. */
interface ScanMemory {
  procfs: ProcFs;
  reader: FactReader;
  /** The known Filebeats. */
  known: Map<number, ProcessFacts>;
  /** All other processes. */
  queue: RecheckQueue;
  /** Pid → name of a program that is named like a Filebeat and not known as one. */
  namesakes: Map<number, string>;
  isFilebeat(facts: ProcessFacts): boolean;
  names: readonly string[];
}

/** One scan. */
class Pass {
  examined = 0;
  private readonly memory: ScanMemory;
  private readonly number: number;
  private readonly startedAt: number;
  /** Pids of the Filebeats of ordinary users that it reads in full. */
  private readonly turn: ReadonlySet<number>;
  private readonly found = new Map<number, { facts: ProcessFacts; filebeat: RunningFilebeat }>();

  constructor(memory: ScanMemory, scan: { number: number; startedAt: number; turn: ReadonlySet<number> }) {
    this.memory = memory;
    this.number = scan.number;
    this.startedAt = scan.startedAt;
    this.turn = scan.turn;
  }

  /** False: at least one of the known Filebeats has ended. */
  verifyKnown(): boolean {
    const pids = [...this.memory.known.keys()];
    this.examined += pids.length;
    return pids.filter((pid) => !this.addFilebeat(pid)).length === 0;
  }

  /** Verifies a known Filebeat, or reads a new one. False: the process is none, or none any more. */
  private addFilebeat(pid: number): boolean {
    const { reader, known, queue } = this.memory;
    let facts = known.get(pid);
    const isInTurn = facts?.identity.account === 0 || this.turn.has(pid);
    if (facts?.described !== undefined && !isInTurn && reader.isUnchanged(facts)) {
      this.found.set(pid, { facts, filebeat: facts.described });
      return true;
    }
    let stat = facts && reader.verify(facts);
    if (stat === undefined) {
      facts = reader.read(pid);
      // It may exec or end while it is read.
      if (facts && this.memory.isFilebeat(facts)) stat = reader.verify(facts);
    }
    if (facts === undefined || stat === undefined) {
      known.delete(pid);
      return false;
    }
    known.set(pid, facts);
    queue.delete(pid);
    this.found.set(pid, { facts, filebeat: reader.describe(facts, stat) });
    return true;
  }

  /** Checks the processes that this scan sees for the first time. Returns a gap where there are too many. */
  checkArrivals(arrivals: Arrivals): Gap[] {
    const { procfs, known, queue } = this.memory;
    const { length } = arrivals.pids;
    const pids = length > limits.processes ? pidsWithinLimit(procfs, arrivals.pids, known) : arrivals.pids;
    if (arrivals.whole) queue.keepOnly(new Set(pids));
    for (const pid of pids) {
      if (this.found.has(pid)) continue;
      const isNew = arrivals.whole ? queue.get(pid) === undefined || arrivals.isNew(pid) : isProcess(procfs, pid);
      if (isNew) this.check(pid, undefined);
    }
    if (pids.length === length) return [];
    return [{ reason: 'limit', subject: '/proc', detail: `${length} processes; only ${pids.length} are checked` }];
  }

  /** Checks the other processes whose turn it is. */
  recheck(counted: boolean): void {
    for (const [pid, process] of this.memory.queue.due(this.number, this.startedAt, counted)) this.check(pid, process);
  }

  private check(pid: number, before: OtherProcess | undefined): void {
    const { procfs, queue, namesakes, names } = this.memory;
    this.examined++;
    const isKernelThread = () => statOf(procfs, pid)?.kernelThread === true;
    if (before !== undefined && runsSameProgram(procfs, pid, before)) {
      const isInQueue = queue.confirm(pid, before, this.number, this.startedAt);
      if (!isInQueue) queue.add(pid, before, this.startedAt, isKernelThread);
      return;
    }
    const { isCandidate, hasEnded, namesake, ...seen } = checkProcess(procfs, pid, before, names);
    if (isCandidate && this.addFilebeat(pid)) return;
    if (namesake !== undefined) namesakes.set(pid, namesake);
    else namesakes.delete(pid);
    const firstSeen = before?.firstSeen ?? this.startedAt;
    if (hasEnded) queue.delete(pid);
    else queue.add(pid, { ...seen, firstSeen, scan: this.number }, this.startedAt, isKernelThread);
  }

  result(excess: readonly Gap[], bootGaps: readonly Gap[]): ProcessScan {
    const { procfs, reader, known, queue, namesakes } = this.memory;
    for (const pid of namesakes.keys()) if (known.has(pid) || !procfs.hasProcess(pid)) namesakes.delete(pid);
    const hidden = [...hiddenGaps(procfs, queue.denied), ...excess];
    const hostNetns = reader.hostNetns();
    const copies = forkedCopies([...this.found.values()].map(({ facts }) => facts));
    const own = [...this.found].flatMap(([pid, filebeat]) => (copies.has(pid) ? [] : [filebeat]));
    return {
      filebeats: own.map(({ filebeat }) => filebeat).sort((a, b) => a.process.pid - b.process.pid),
      ...(hostNetns !== undefined && { hostNetns }),
      gaps: [...hidden, ...namesakeGaps(procfs, namesakes), ...bootGaps, ...own.flatMap(({ facts }) => facts.gaps)],
      usable: true,
      hidden: hidden.length > 0,
      unreadable: unreadableProcesses(this.memory),
      listed: queue.size + known.size,
      examined: this.examined,
    };
  }
}

function unusable(gap: Gap, examined: number): ProcessScan {
  return { filebeats: [], gaps: [gap], usable: false, hidden: true, unreadable: [], listed: 0, examined };
}

/** Not a thread of a process. One that may not be read counts as a process, so that it is reported. */
function isProcess(procfs: ProcFs, pid: number): boolean {
  const text = procfs.piece(`${pid}/stat`);
  return text.ok ? parseStat(text.value)?.isThread === false : text.gap.reason === 'denied';
}

/** Any of them may be a Filebeat known from earlier, or the Filebeat of its unit. */
function unreadableProcesses({ procfs, reader, known }: ScanMemory): UnreadableProcess[] {
  return blockedPids(procfs).flatMap((pid) => {
    const stat = known.has(pid) ? undefined : statOf(procfs, pid);
    if (stat === undefined || stat.exiting) return [];
    const { unit } = reader.membershipOf(pid);
    return [{ pid, startTicks: stat.startTicks, ...(unit === undefined ? {} : { unit }) }];
  });
}
