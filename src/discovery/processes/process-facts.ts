/**
 * What is known of one running Filebeat, from `/proc/<pid>`. Everything is read once per program run (pid, start time, exec);
 * later scans read only what changes.
 */
import { TICKS_PER_SECOND } from '../../model/instance-rules.js';
import type { FilebeatProcess, Gap, ProcessIdentity, Reading } from '../../model/model.js';
import type { BootClock } from '../../proc/boot-clock.js';
import { type Membership, parseCgroup } from '../../proc/cgroup.js';
import { createHaltReader } from '../../proc/halt.js';
import { readOwnCgroup } from '../../proc/own-cgroup.js';
import { type ProcFs, statOf } from '../../proc/proc-fs.js';
import {
  type ProcessStat,
  parseCmdline,
  parseEnviron,
  parseExecutable,
  parseMaxOpenFiles,
  parseStatus,
} from '../../proc/process-files.js';
import { identify } from '../../proc/root-identity.js';
import { unlessChanged } from '../../runtime/unchanged.js';
import { readIdentity } from './process-identity.js';
import { netnsLink, readNetns, readRoot } from './process-view.js';

/** A running Filebeat: its facts for the model, and what stays inside the program. */
export interface RunningFilebeat {
  process: FilebeatProcess;
  /** The process without the figures of this scan; the same object from scan to scan while nothing else changes. */
  lasting: FilebeatProcess;
  argv: string[];
  /** The environment it was started with; undefined: unreadable. */
  env?: Record<string, string>;
  /** Path of the directory that is `/` for it: for `openFileView`. */
  rootDir: string;
  /** Equal for processes with the same root: `/` for the host's, else the container or the root's device and inode. */
  rootId: string;
  identity: ProcessIdentity;
  /** Equal for processes that see the same files: mount namespace and root. Absent where unknown. */
  view?: string;
}

/** The facts of one program run, that is between two `exec`s: valid as long as `mark` stays. */
export interface ProcessFacts extends Omit<RunningFilebeat, 'process' | 'lasting'> {
  /** Start time and stack address; every exec chooses a new stack address. */
  mark: string;
  parent: number;
  /** `Clock.steady` when it was first read. */
  firstSeen: number;
  /** Clock ticks of processor time in the last scan. */
  cpuTicks?: number;
  /** The last description, and the boot time that its start time was computed from. */
  described?: RunningFilebeat;
  bootTime?: number | undefined;
  process: Omit<
    FilebeatProcess,
    'startTime' | 'startUnsure' | 'halt' | 'parent' | 'cpuSeconds' | 'residentBytes' | 'openFds'
  >;
  gaps: Gap[];
}

export interface FactReader {
  /** To be called at the beginning of each scan, which reads the facts shared by several processes once. */
  begin(): void;
  /** Inode of the host's network namespace: that of pid 1, or of the exporter where pid 1 cannot be seen. */
  hostNetns(): number | undefined;
  /** Undefined: the process ended, or kept changing while it was read. */
  read(pid: number): ProcessFacts | undefined;
  /** The statistics of a process that still runs the same program; else undefined. */
  verify(facts: ProcessFacts): ProcessStat | undefined;
  /** Same process, same program, same boot time: the last description is still true, except for its figures. */
  isUnchanged(facts: ProcessFacts): boolean;
  describe(facts: ProcessFacts, stat: ProcessStat): RunningFilebeat;
  /** Its unit, user and container. */
  membershipOf(pid: number): Membership;
}

/** How often a process that changes while it is read is read again before it counts as gone. */
const ATTEMPTS = 3;

/** `names`: further names of the program, see `isFilebeatProgram`. */
export function createFactReader(
  procfs: ProcFs,
  rootfs: string,
  bootClock: BootClock,
  names: readonly string[],
): FactReader {
  let host: number | undefined;
  let pageBytes: number | undefined;
  const hostRoot = identify(rootfs);
  const ownCgroup = readOwnCgroup(procfs, rootfs);
  const halts = createHaltReader(procfs, rootfs);
  /** By pid, of this scan: one supervisor may have started many. */
  let parents = new Map<number, ProcessStat | undefined>();

  function begin(): void {
    halts.begin();
    parents = new Map();
  }

  function hostNetns(): number | undefined {
    host ??= netnsLink(procfs, '1') ?? netnsLink(procfs, 'self');
    return host;
  }

  function membershipOf(pid: number): Membership {
    return parseCgroup(textOf(procfs.piece(`${pid}/cgroup`)), ownCgroup);
  }

  function readOnce(pid: number): ProcessFacts | undefined {
    const before = statOf(procfs, pid);
    if (before === undefined || hasEnded(before)) return undefined;
    const mark = markOf(procfs, before);
    const files = readFiles(procfs, pid);
    if (files === undefined) return undefined;
    const membership = membershipOf(pid);
    const { gap, ...root } = readRoot(procfs, { rootfs, hostRoot }, pid, membership);
    const maxFds = parseMaxOpenFiles(textOf(procfs.piece(`${pid}/limits`)));

    // All this belongs together only if it is still the same process and program.
    const after = statOf(procfs, pid);
    if (after === undefined || markOf(procfs, after) !== mark) return undefined;
    const gaps = gap === undefined ? files.gaps : [...files.gaps, gap];
    for (const one of gaps) if (one.reason === 'vanished') one.reason = 'missing';

    const { argv, env } = files;
    return {
      mark,
      identity: readIdentity(procfs, rootfs, names, { ...files, membership, rootDir: root.rootDir }),
      firstSeen: bootClock.last().moment.steady,
      parent: before.parent,
      argv,
      ...(env !== undefined && { env }),
      ...root,
      gaps,
      process: {
        ...lastingFacts(before, files, membership, hostNetns()),
        ...(maxFds !== undefined && { maxFds }),
      },
    };
  }

  function read(pid: number): ProcessFacts | undefined {
    for (let tries = 0; tries < ATTEMPTS; tries++) {
      const facts = readOnce(pid);
      if (facts) return facts;
    }
    return undefined;
  }

  function statOfSame({ process, mark }: ProcessFacts): ProcessStat | undefined {
    const stat = statOf(procfs, process.pid);
    return stat !== undefined && !hasEnded(stat) && markOf(procfs, stat) === mark ? stat : undefined;
  }

  function isUnchanged(facts: ProcessFacts): boolean {
    return facts.bootTime === bootClock.last().time && statOfSame(facts) !== undefined;
  }

  function verify(facts: ProcessFacts): ProcessStat | undefined {
    const stat = statOfSame(facts);
    if (stat === undefined) return undefined;
    // The file of a running program may be replaced at any time: an upgrade that waits for a restart.
    const link = procfs.link(`${stat.pid}/exe`);
    if (link.ok) {
      const { path, deleted } = parseExecutable(link.value);
      facts.process.executable = path;
      facts.process.executableDeleted = deleted;
    }
    return stat;
  }

  function parentOf({ parent }: ProcessStat): ProcessStat | undefined {
    if (parent <= 1) return undefined;
    if (!parents.has(parent)) parents.set(parent, statOf(procfs, parent));
    return parents.get(parent);
  }

  function describe(facts: ProcessFacts, stat: ProcessStat): RunningFilebeat {
    const openFds = openDescriptors(procfs, stat.pid);
    pageBytes ??= readPageSize(procfs);
    const halt = halts.haltOf(stat, facts.cpuTicks === undefined || facts.cpuTicks === stat.cpuTicks);
    facts.cpuTicks = stat.cpuTicks;
    const parent = parentOf(stat);
    const lasting = unlessChanged<FilebeatProcess>(facts.described?.lasting, {
      ...facts.process,
      ...(parent !== undefined && { parent: { pid: parent.pid, comm: parent.comm } }),
      ...startOf(facts, stat),
    });
    const process: FilebeatProcess = {
      ...lasting,
      cpuSeconds: stat.cpuTicks / TICKS_PER_SECOND,
      residentBytes: stat.residentPages * pageBytes,
      ...(openFds !== undefined && { openFds }),
      ...(halt !== undefined && { halt }),
    };
    const { argv, env, rootDir, rootId, identity, view } = facts;
    facts.bootTime = bootClock.last().time;
    facts.described = {
      process,
      lasting,
      argv,
      ...(env !== undefined && { env }),
      rootDir,
      rootId,
      identity,
      ...(view !== undefined && { view }),
    };
    return facts.described;
  }

  /** Without a boot time, it started no later than it was first seen. */
  function startOf(
    { firstSeen }: ProcessFacts,
    { startTicks }: ProcessStat,
  ): Pick<FilebeatProcess, 'startTime' | 'startUnsure'> {
    const { time, sure, moment } = bootClock.last();
    if (time === undefined) return { startTime: moment.at - (moment.steady - firstSeen), startUnsure: true };
    return { startTime: time + startTicks / TICKS_PER_SECOND, ...(sure ? {} : { startUnsure: true as const }) };
  }

  return { begin, hostNetns, read, verify, isUnchanged, describe, membershipOf };
}

/** Where `stat` hides the stack address from us, the command line takes its place. */
function markOf(procfs: ProcFs, { pid, startTicks, stackStart }: ProcessStat): string {
  const mark = `${startTicks} ${stackStart}`;
  if (stackStart !== '0') return mark;
  const cmdline = procfs.piece(`${pid}/cmdline`);
  return cmdline.ok ? `${mark} ${cmdline.value}` : mark;
}

function hasEnded({ state }: ProcessStat): boolean {
  return state === 'Z' || state === 'X';
}

/** What files of `/proc/<pid>` say, and a gap for each that cannot be read. Undefined: the process ended, or is a thread. */
function readFiles(procfs: ProcFs, pid: number) {
  const gaps: Gap[] = [];
  /** The value; where there is none, its gap is noted. */
  const orGap = <T>(reading: Reading<T>): T | undefined => {
    if (reading.ok) return reading.value;
    gaps.push(reading.gap);
    return undefined;
  };
  const executable = orGap(procfs.link(`${pid}/exe`));
  const cmdline = procfs.piece(`${pid}/cmdline`);
  if (!cmdline.ok) return undefined;
  const cwd = orGap(procfs.link(`${pid}/cwd`));
  const environ = orGap(procfs.piece(`${pid}/environ`));
  const netns = orGap(readNetns(procfs, pid));
  const status = parseStatus(textOf(procfs.piece(`${pid}/status`)));
  if (status.threadGroup !== undefined && status.threadGroup !== pid) return undefined;
  const uid = status.uid ?? orGap(procfs.stat(`${pid}`))?.uid;
  if (uid === undefined) return undefined;
  return {
    pid,
    uid,
    status,
    argv: parseCmdline(cmdline.value),
    env: environ === undefined ? undefined : parseEnviron(environ),
    cwd,
    netns,
    program: executable === undefined ? undefined : parseExecutable(executable),
    gaps,
  };
}

function lastingFacts(
  { pid, startTicks, comm }: ProcessStat,
  { uid, status, cwd, netns, program }: NonNullable<ReturnType<typeof readFiles>>,
  { unit, container, engine, user, userUnit }: Membership,
  hostNetns: number | undefined,
): ProcessFacts['process'] {
  return {
    pid,
    startTicks,
    comm,
    uid,
    executableDeleted: program?.deleted ?? false,
    ...(program && { executable: program.path }),
    ...(cwd !== undefined && { cwd }),
    ...(netns !== undefined && { netns }),
    ...(netns !== undefined && hostNetns !== undefined && { hostNetns: netns === hostNetns }),
    ...(unit !== undefined && { unit }),
    ...(user !== undefined && userUnit !== undefined && { userUnit: { uid: user, unit: userUnit } }),
    ...(container !== undefined && { container }),
    ...(engine !== undefined && { engine }),
    ...(status.canBindPrivileged !== undefined && { canBindPrivileged: status.canBindPrivileged }),
  };
}

/** Since Linux 6.2 the size of the directory is the number of open descriptors; before, it is 0 and they are listed. */
function openDescriptors(procfs: ProcFs, pid: number): number | undefined {
  if (procfs.real) {
    const directory = procfs.stat(`${pid}/fd`);
    if (directory.ok && directory.value.size > 0) return directory.value.size;
  }
  const names = procfs.list(`${pid}/fd`);
  return names.ok ? names.value.length : undefined;
}

/** Bytes, from `KernelPageSize:        4 kB`: `stat` counts resident memory in pages, and Node.js does not know their size. */
function readPageSize(procfs: ProcFs): number {
  const maps = procfs.text('self/smaps', (_, length) => length > 2048);
  const match = maps.ok ? /^KernelPageSize:\s+(\d+) kB$/m.exec(maps.value) : null;
  return match ? Number(match[1]) * 1024 : 4096;
}

function textOf(reading: Reading<string>): string {
  return reading.ok ? reading.value : '';
}
