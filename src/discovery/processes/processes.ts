/**
 * Which Filebeats run, told from bystanders by program and command line. What is promised:
 * - A process that was not there in the scan before is looked at (`process-list.ts` says how it is noticed).
 * - Until it was looked at once YOUNG_MS after it was first seen it is looked at in every scan, so the usual fork + exec
 *   is never missed.
 * - Later it is looked at again (one `readlink` of its `exe`), for a late exec: `look-queue.ts` says how often.
 * - A Filebeat found before is verified in every scan by pid, start time and the stack that its last `exec` chose. What else
 *   is known of it is read again in every scan; where ordinary users have many, in turn (`turns.ts`).
 */
import { posix } from 'node:path';
import { isCollector } from '../../filebeat/config/command.js';
import { limits, withinShares } from '../../model/limits.js';
import type { Gap, ProcessId } from '../../model/model.js';
import { type BootClock, createBootClock } from '../../proc/boot-clock.js';
import { quarantinedPaths } from '../../proc/heartbeat.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { parseCmdline, parseExecutable, parseStat, parseStatus } from '../../proc/process-files.js';
import { steadyMs } from '../../runtime/clock.js';
import { bearsTheName, isFilebeatProgram } from '../launch/programs.js';
import { createLookQueue, type OtherProcess } from './look-queue.js';
import { createFactReader, type Facts, type RunningFilebeat } from './process-facts.js';
import { createProcessList } from './process-list.js';
import { createTurns } from './turns.js';

export type { RunningFilebeat } from './process-facts.js';

export interface ProcessScannerOptions {
  /** Names of the program besides `filebeat` and `filebeat-oss`: `discovery.process_names`. */
  processNames?: readonly string[];
  /** False for `filebeat test`, `export`, `setup`, … */
  isCollector?: (argv: readonly string[]) => boolean;
  /** The directory that is the host's root; `/` unless told otherwise. */
  rootfs?: string;
  /** Milliseconds, never going back. */
  now?: () => number;
  /** Its own where none is given. */
  bootClock?: BootClock;
}

/** What can be told of a process without its command line. */
export interface Untold extends ProcessId {
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
  /** Some processes could not be told (hidepid, see proc(5)): a Filebeat that is not in here may still run. */
  hidden: boolean;
  /** Processes that a read hangs at, so that nobody can say what they are. */
  untold: Untold[];
  /** Processes that are known of, and how many were looked at. */
  listed: number;
  examined: number;
}

export interface ProcessScanner {
  scan(): ProcessScan;
  /** Processes that the next scans have to look at, whatever they were. */
  suspect(pids: Iterable<number>): void;
}

/** Gaps about processes that bear the name of a Filebeat. */
const mostNamesakes = 20;

const USUAL_NAMES = ['filebeat', 'filebeat-oss'];

export function createProcessScanner(procfs: ProcFs, options: ProcessScannerOptions = {}): ProcessScanner {
  const now = options.now ?? steadyMs;
  const bootClock = options.bootClock ?? createBootClock(procfs);
  const names = [...USUAL_NAMES, ...(options.processNames ?? [])];
  const reader = createFactReader(procfs, options.rootfs ?? '/', bootClock, names);
  const list = createProcessList(procfs, now, limits.processes);
  const known = new Map<number, Facts>();
  const queue = createLookQueue();
  const turns = createTurns();
  /** Bystanders that bear the name of a Filebeat without being known as one → that name. */
  const namesakes = new Map<number, string>();
  let number = 0;

  function scan(): ProcessScan {
    const started = now();
    const boot = bootClock.read();
    reader.begin();
    number++;
    const filebeats: RunningFilebeat[] = [];
    const found: Facts[] = [];
    let examined = 0;

    const tellFilebeat = (pid: number): boolean => {
      // A Filebeat that execs or dies while it is looked at: its facts are read anew, or it is gone.
      let facts = known.get(pid);
      const isTurn = facts?.told === undefined || facts.identity.account === 0 || turn.has(pid);
      if (!isTurn && reader.stands(pid, facts!)) {
        found.push(facts!);
        filebeats.push(facts!.told!);
        return true;
      }
      let stat = facts && reader.verify(pid, facts);
      if (stat === undefined) {
        facts = reader.read(pid);
        if (facts && isFilebeat(facts.still.executable, facts.argv, names, options.isCollector))
          stat = reader.verify(pid, facts);
      }
      if (facts === undefined || stat === undefined) {
        known.delete(pid);
        return false;
      }
      known.set(pid, facts);
      queue.delete(pid);
      found.push(facts);
      filebeats.push(reader.describe(facts, stat));
      return true;
    };

    const look = (pid: number, before: OtherProcess | undefined) => {
      examined++;
      const seen = glance(procfs, pid, before?.byLink ?? true, before?.trait);
      if (seen.candidate && tellFilebeat(pid)) return;
      if (seen.namesake !== undefined) namesakes.set(pid, seen.namesake);
      else if (!seen.same) namesakes.delete(pid);
      const { trait, byLink, denied, gone } = seen;
      if (gone) queue.delete(pid);
      else {
        const firstSeen = before?.firstSeen ?? started;
        queue.add(pid, { trait, byLink, denied, firstSeen, scan: number }, started, () => isKernels(pid));
      }
    };

    const watched = [...known.keys()];
    const turn = turns(
      watched.map((pid) => ({ pid, account: known.get(pid)!.identity.account })).filter(({ account }) => account !== 0),
    );
    const verified = watched.filter(tellFilebeat);
    examined += watched.length;
    // After one has ended the next one may be there already, and nothing about that is left to counters.
    const whole = verified.length < watched.length || queue.denied > 0;
    const arrivals = list.next(whole, (pid) => known.has(pid) || queue.get(pid) !== undefined);
    if ('reason' in arrivals)
      return { filebeats: [], gaps: [arrivals], usable: false, hidden: true, untold: [], listed: 0, examined };
    const pids = arrivals.pids.length > limits.processes ? pidsWithin(procfs, arrivals.pids, known) : arrivals.pids;
    if (arrivals.whole) queue.keepOnly(new Set(pids));
    const isTold = new Set(verified);
    for (const pid of pids) {
      if (isTold.has(pid)) continue;
      if (arrivals.whole ? queue.get(pid) === undefined || arrivals.isNew(pid) : isLeader(pid)) look(pid, undefined);
    }
    for (const [pid, one] of queue.due(number, started, arrivals.counted)) look(pid, one);

    const hidden = hiddenFrom();
    if (pids.length < arrivals.pids.length)
      hidden.push({
        reason: 'limit',
        subject: '/proc',
        detail: `${arrivals.pids.length} processes; ${pids.length} are looked at`,
      });
    const hostNetns = reader.hostNetns();
    const copies = forkedCopies(found);
    return {
      filebeats: filebeats
        .filter(({ process }) => !copies.has(process.pid))
        .sort((a, b) => a.process.pid - b.process.pid),
      ...(hostNetns !== undefined && { hostNetns }),
      gaps: [
        ...hidden,
        ...namesakeGaps(),
        ...boot.gaps,
        ...found.flatMap((facts) => (copies.has(facts.still.pid) ? [] : facts.gaps)),
      ],
      usable: true,
      hidden: hidden.length > 0,
      untold: untold(),
      listed: queue.size + known.size,
      examined,
    };

    function glance(fs: ProcFs, pid: number, byLink: boolean, trait: string | undefined) {
      const exe = byLink ? fs.link(`${pid}/exe`) : undefined;
      if (exe?.ok && exe.value === trait)
        return { candidate: false, same: true, gone: false, trait, byLink: true, denied: false };
      const cmdline = fs.piece(`${pid}/cmdline`);
      // Zombies and kernel threads have neither; whom we may not look at at all stays untold.
      const argv = cmdline.ok ? parseCmdline(cmdline.value.slice(0, 4096)) : [];
      const path = exe?.ok ? parseExecutable(exe.value).path : undefined;
      const beginning = cmdline.ok ? cmdline.value.slice(0, 256) : undefined;
      const candidate = isNamed(path, argv, names);
      const namesake = candidate ? undefined : [path, argv[0]].find((one) => one !== undefined && bearsTheName(one));
      return {
        candidate,
        same: false,
        gone: !exe?.ok && !cmdline.ok && cmdline.gap.reason === 'vanished',
        ...(namesake === undefined ? {} : { namesake: posix.basename(namesake) }),
        trait: exe?.ok ? exe.value : beginning,
        byLink: exe?.ok ?? false,
        denied: !cmdline.ok && cmdline.gap.reason === 'denied',
      };
    }
  }

  /** Whose command line hangs may be the Filebeat that it was, or that of its unit: of others it says nothing. */
  function untold(): Untold[] {
    const stuck = quarantinedPaths().flatMap(({ path }) => {
      const pid = path.startsWith(`${procfs.root}/`) ? Number.parseInt(path.slice(procfs.root.length + 1), 10) : 0;
      return pid > 0 && !known.has(pid) ? [pid] : [];
    });
    return [...new Set(stuck)].flatMap((pid) => {
      const text = procfs.piece(`${pid}/stat`);
      const stat = text.ok ? parseStat(text.value) : undefined;
      if (stat === undefined || stat.exiting) return [];
      const { unit } = reader.membershipOf(pid);
      return [{ pid, startTicks: stat.startTicks, ...(unit === undefined ? {} : { unit }) }];
    });
  }

  /** Whether they are Filebeats nobody can tell, and silence about them would be a blind spot. */
  function namesakeGaps(): Gap[] {
    for (const pid of namesakes.keys()) if (known.has(pid) || !procfs.hasProcess(pid)) namesakes.delete(pid);
    // Of too many root's go first: nobody else can push them out.
    const all = [...namesakes];
    const some = all.length <= mostNamesakes ? all : [...all].sort(([a], [b]) => uidOf(procfs, a) - uidOf(procfs, b));
    return some.slice(0, mostNamesakes).map(([pid, name]) => ({
      reason: 'unclear' as const,
      subject: `process ${pid} (${name.slice(0, 64)})`,
      detail:
        'it bears the name of a Filebeat, and whether it is one cannot be told; discovery.process_names makes it one',
    }));
  }

  /** With hidepid, pid 1 is not listed (2), or nothing of other users' processes can be read (1). */
  function hiddenFrom(): Gap[] {
    if (queue.denied > 0)
      return [{ reason: 'denied', subject: '/proc', detail: `${queue.denied} processes could not be looked at` }];
    if (procfs.real && !procfs.hasProcess(1))
      return [{ reason: 'denied', subject: '/proc', detail: 'processes of other users are hidden' }];
    return [];
  }

  function statOf(pid: number) {
    const text = procfs.piece(`${pid}/stat`);
    return text.ok ? parseStat(text.value) : undefined;
  }

  /** Whom we may not look at is taken for a process, so that it is told. */
  function isLeader(pid: number): boolean {
    const text = procfs.piece(`${pid}/stat`);
    return text.ok ? parseStat(text.value)?.isThread === false : text.gap.reason === 'denied';
  }

  const isKernels = (pid: number) => statOf(pid)?.kernelThread === true;

  /** Sockets tell more than names: who holds what a Filebeat ought to hold may have become one. */
  function suspect(pids: Iterable<number>): void {
    for (const pid of pids) queue.hurry(pid, now());
  }

  return { scan, suspect };
}

/**
 * By program file or by the name it was started with (a container's argv[0] has no folder): deb, rpm and tar run
 * `filebeat`; Elastic Agent 8.13 to 9.0 `agentbeat filebeat …`; 9.x has its inputs inside `elastic-otel-collector`.
 */
function isNamed(executable: string | undefined, argv: readonly string[], names: readonly string[]): boolean {
  return [executable, argv[0]].some((path) => path !== undefined && isFilebeatProgram(path, argv[1], names));
}

export function isFilebeat(
  executable: string | undefined,
  argv: readonly string[],
  names: readonly string[],
  collects: (argv: readonly string[]) => boolean = isCollector,
): boolean {
  return argv.length > 0 && isNamed(executable, argv, names) && collects(argv);
}

/**
 * Filebeat starts helpers by fork + exec; in between the child looks like a second Filebeat with the same words.
 * No Filebeat starts another one, so such a child is no instance.
 */
function forkedCopies(found: readonly Facts[]): Set<number> {
  const byPid = new Map(found.map((facts) => [facts.still.pid, facts]));
  const copies = new Set<number>();
  for (const { still, argv, parent } of found) {
    const other = byPid.get(parent);
    const isSameUser = other?.still.uid === still.uid;
    if (other && isSameUser && other.argv.length === argv.length && other.argv.every((word, at) => word === argv[at]))
      copies.add(still.pid);
  }
  return copies;
}

/** Filebeats that are known, then those of the system, then of each user his share; the lowest pids first. */
function pidsWithin(procfs: ProcFs, all: number[], known: ReadonlyMap<number, Facts>): number[] {
  const accountOf = (pid: number) => known.get(pid)?.identity.account ?? uidOf(procfs, pid);
  const accounts = new Map(all.map((pid) => [pid, accountOf(pid)]));
  const { included: kept } = withinShares(
    all.sort((a, b) => Number(known.has(b)) - Number(known.has(a)) || a - b),
    limits.processes,
    (pid) => accounts.get(pid)!,
  );
  return all.filter((pid) => kept.has(pid)).sort((a, b) => a - b);
}

/** Real uid; the owner of its folder would be root's where it is not dumpable (proc(5)), and that is its own choice. */
function uidOf(procfs: ProcFs, pid: number): number {
  const text = procfs.piece(`${pid}/status`);
  return (text.ok ? parseStatus(text.value).uids?.[0] : undefined) ?? 0;
}
