/**
 * Which Filebeats run: lists `/proc` (thread-group leaders only are listed there) and tells Filebeats from
 * bystanders by program and command line.
 *
 * What is promised, with `t` the time a scan starts:
 * - A process that was not there in the scan before is looked at.
 * - For YOUNG after it was first seen a process is looked at on every scan, so the usual fork + exec is never missed.
 * - An older bystander is looked at again at least every ROTATION (one `readlink` of its `exe`), the work spread
 *   evenly over time: a late `exec` of Filebeat, or a pid that died and was given away again between two scans, is
 *   found at the first scan that starts ROTATION later, at the latest.
 * - A Filebeat found before is verified on every scan by pid, start time and the stack that its last `exec` chose.
 */
import { posix } from 'node:path';
import { isCollector } from '../../filebeat/config/command.js';
import { limits, withinShares } from '../../model/limits.js';
import type { Gap, ProcessId } from '../../model/model.js';
import { type BootClock, createBootClock } from '../../proc/boot-clock.js';
import { allLeftAlone } from '../../proc/place.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { parseCmdline, parseExecutable, parseStat } from '../../proc/process-files.js';
import { steadyMs } from '../../runtime/clock.js';
import { bearsTheName, isFilebeatProgram } from '../launch/programs.js';
import { createFactReader, type Facts, type RunningFilebeat } from './process-facts.js';

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
  /** Processes listed, and how many of them were looked at. */
  listed: number;
  examined: number;
}

export interface ProcessScanner {
  scan(): ProcessScan;
}

export const YOUNG_MS = 10_000;
export const ROTATION_MS = 60_000;

/** Gaps about processes that bear the name of a Filebeat. */
const mostNamesakes = 20;

const USUAL_NAMES = ['filebeat', 'filebeat-oss'];

interface Bystander {
  /** `exe`'s target, or the beginning of `cmdline` where that cannot be read; undefined: neither could. */
  trait: string | undefined;
  byLink: boolean;
  /** Neither its `exe` nor its `cmdline` may be read. */
  denied: boolean;
  firstSeen: number;
  lookedAt: number;
  /** Number of the last scan that listed it. */
  scan: number;
}

export function createProcessScanner(procfs: ProcFs, options: ProcessScannerOptions = {}): ProcessScanner {
  const now = options.now ?? steadyMs;
  const bootClock = options.bootClock ?? createBootClock(procfs);
  const names = [...USUAL_NAMES, ...(options.processNames ?? [])];
  const reader = createFactReader(procfs, options.rootfs ?? '/', bootClock, names);
  const known = new Map<number, Facts>();
  /** In the order in which they were last looked at: those who wait longest come first. */
  const bystanders = new Map<number, Bystander>();
  /** Bystanders that bear the name of a Filebeat without being known as one → that name. */
  const namesakes = new Map<number, string>();
  let number = 0;
  let lastScan: number | undefined;
  let anyDenied = false;

  function scan(): ProcessScan {
    const started = now();
    const boot = bootClock.read();
    const listing = procfs.list('.');
    if (!listing.ok)
      return {
        filebeats: [],
        gaps: [{ ...listing.gap, subject: '/proc' }],
        usable: false,
        hidden: true,
        untold: [],
        listed: 0,
        examined: 0,
      };
    number++;
    const filebeats: RunningFilebeat[] = [];
    const found: Facts[] = [];
    const all = listing.value.filter(isPid).map(Number);
    const pids = all.length > limits.processes ? pidsWithin(procfs, all, known) : all;
    let examined = 0;

    const tellFilebeat = (pid: number): boolean => {
      // A Filebeat that execs or dies while it is looked at: its facts are read anew, or it is gone.
      let facts = known.get(pid);
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
      bystanders.delete(pid);
      found.push(facts);
      filebeats.push(reader.tell(facts, stat));
      return true;
    };

    const look = (pid: number, before: Bystander | undefined) => {
      examined++;
      const seen = glance(procfs, pid, before?.byLink ?? true, before?.trait);
      if (seen.candidate && tellFilebeat(pid)) return;
      anyDenied ||= seen.denied;
      if (seen.namesake !== undefined) namesakes.set(pid, seen.namesake);
      else if (!seen.same) namesakes.delete(pid);
      bystanders.delete(pid);
      bystanders.set(pid, {
        trait: seen.trait,
        byLink: seen.byLink,
        denied: seen.denied,
        firstSeen: before?.firstSeen ?? started,
        lookedAt: started,
        scan: number,
      });
    };

    for (const pid of pids) {
      if (known.has(pid)) {
        examined++;
        if (tellFilebeat(pid)) continue;
      }
      const before = bystanders.get(pid);
      if (before === undefined || before.scan !== number - 1) look(pid, undefined);
      else if (started - before.firstSeen < YOUNG_MS) look(pid, before);
      else before.scan = number;
    }
    rotate();
    if (known.size > filebeats.length) {
      const alive = new Set(pids);
      for (const pid of known.keys()) if (!alive.has(pid)) known.delete(pid);
    }
    lastScan = started;

    const hidden = hiddenFrom(pids);
    if (pids.length < all.length)
      hidden.push({
        reason: 'limit',
        subject: '/proc',
        detail: `${all.length} processes; ${pids.length} are looked at`,
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
        ...namesakeGaps(pids),
        ...boot.gaps,
        ...found.flatMap((facts) => (copies.has(facts.still.pid) ? [] : facts.gaps)),
      ],
      usable: true,
      hidden: hidden.length > 0,
      untold: untoldAmong(pids),
      listed: pids.length,
      examined,
    };

    function rotate() {
      const share = lastScan === undefined ? 0 : (started - lastScan) / ROTATION_MS;
      let budget = Math.ceil(bystanders.size * Math.min(1, share));
      for (const [pid, bystander] of bystanders) {
        if (bystander.lookedAt === started) break;
        if (bystander.scan !== number) bystanders.delete(pid);
        else if (budget-- > 0 || started - bystander.lookedAt >= ROTATION_MS) look(pid, bystander);
        else break;
      }
      // Whoever is gone waits in the middle of the queue until there are many.
      if (bystanders.size > pids.length + 256)
        for (const [pid, bystander] of bystanders) if (bystander.scan !== number) bystanders.delete(pid);
    }

    function glance(fs: ProcFs, pid: number, byLink: boolean, trait: string | undefined) {
      const exe = byLink ? fs.link(`${pid}/exe`) : undefined;
      if (exe?.ok && exe.value === trait) return { candidate: false, same: true, trait, byLink: true, denied: false };
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
        ...(namesake === undefined ? {} : { namesake: posix.basename(namesake) }),
        trait: exe?.ok ? exe.value : beginning,
        byLink: exe?.ok ?? false,
        denied: !cmdline.ok && cmdline.gap.reason === 'denied',
      };
    }
  }

  /** Whose command line hangs may be the Filebeat that it was, or that of its unit: of others it says nothing. */
  function untoldAmong(pids: readonly number[]): Untold[] {
    if (allLeftAlone().length === 0) return [];
    const listed = new Set(pids);
    const stuck = allLeftAlone().flatMap(({ path }) => {
      const pid = path.startsWith(`${procfs.root}/`) ? Number.parseInt(path.slice(procfs.root.length + 1), 10) : 0;
      return listed.has(pid) && !known.has(pid) ? [pid] : [];
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
  function namesakeGaps(pids: readonly number[]): Gap[] {
    if (namesakes.size === 0) return [];
    const listed = new Set(pids);
    for (const pid of namesakes.keys()) if (!listed.has(pid) || known.has(pid)) namesakes.delete(pid);
    return [...namesakes].slice(0, mostNamesakes).map(([pid, name]) => ({
      reason: 'unclear' as const,
      subject: `process ${pid} (${name.slice(0, 64)})`,
      detail:
        'it bears the name of a Filebeat, and whether it is one cannot be told; discovery.process_names makes it one',
    }));
  }

  /** With hidepid, pid 1 is not listed (2), or nothing of other users' processes can be read (1). */
  function hiddenFrom(pids: number[]): Gap[] {
    let untold = 0;
    if (anyDenied)
      for (const bystander of bystanders.values()) if (bystander.denied && bystander.scan === number) untold++;
    if (untold > 0)
      return [{ reason: 'denied', subject: '/proc', detail: `${untold} processes could not be looked at` }];
    if (procfs.real && !pids.includes(1))
      return [{ reason: 'denied', subject: '/proc', detail: 'processes of other users are hidden' }];
    return [];
  }

  return { scan };
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
    if (other && other.argv.length === argv.length && other.argv.every((word, index) => word === argv[index]))
      copies.add(still.pid);
  }
  return copies;
}

/** Filebeats that are known, then those of the system, then of each user his share; the lowest pids first. */
function pidsWithin(procfs: ProcFs, all: number[], known: ReadonlyMap<number, Facts>): number[] {
  const accountOf = (pid: number) => {
    const stat = known.has(pid) ? undefined : procfs.stat(`${pid}`);
    return stat?.ok ? stat.value.uid : 0;
  };
  const accounts = new Map(all.map((pid) => [pid, accountOf(pid)]));
  const { kept } = withinShares(
    all.sort((a, b) => Number(known.has(b)) - Number(known.has(a)) || a - b),
    limits.processes,
    (pid) => accounts.get(pid)!,
  );
  return all.filter((pid) => kept.has(pid)).sort((a, b) => a - b);
}

function isPid(name: string): boolean {
  const first = name.charCodeAt(0);
  return first >= 49 && first <= 57;
}
