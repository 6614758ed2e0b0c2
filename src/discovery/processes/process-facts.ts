/**
 * What is known of one running Filebeat, from `/proc/<pid>`. Everything is read once per program run (pid, start time, exec);
 * later scans read only what changes.
 */
import { TICKS_PER_SECOND } from '../../model/instance-rules.js';
import type { FilebeatProcess, Gap, ProcessIdentity } from '../../model/model.js';
import type { BootClock } from '../../proc/boot-clock.js';
import { type Membership, parseCgroup } from '../../proc/cgroup.js';
import { identify } from '../../proc/files/root-identity.js';
import { createHaltReader, type HaltReader } from '../../proc/halt.js';
import { readOwnCgroup } from '../../proc/own-cgroup.js';
import { netnsLink, type ProcFs, statOf } from '../../proc/proc-fs.js';
import { type ProcessStat, parseExecutable, parseMaxOpenFiles } from '../../proc/process-files.js';
import { unlessChanged } from '../../runtime/unchanged.js';
import { readIdentity } from './process-identity.js';
import { readRoot } from './process-view.js';
import { hasEnded, type LastingFacts, lastingFacts, markOf, readFiles, textOf } from './read-process.js';

/** A running Filebeat: its facts for the model, and what stays inside the program. */
export interface RunningFilebeat {
  process: FilebeatProcess;
  /** The process without the figures of this scan: the same object from scan to scan while nothing else changes. */
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
  process: LastingFacts;
  gaps: Gap[];
}

/** How often a process that changes while it is read is read again before it counts as gone. */
const ATTEMPTS = 3;

export class FactReader {
  private readonly procfs: ProcFs;
  private readonly rootfs: string;
  private readonly bootClock: BootClock;
  private readonly names: readonly string[];
  private readonly hostRoot: string | undefined;
  private readonly ownCgroup: string;
  private readonly halts: HaltReader;
  private host: number | undefined;
  private pageBytes: number | undefined;
  /** By pid, of this scan: one supervisor may have started many. */
  private parents = new Map<number, ProcessStat | undefined>();

  /** `names`: further names of the program, see `isFilebeatProgram`. */
  constructor(procfs: ProcFs, rootfs: string, bootClock: BootClock, names: readonly string[]) {
    this.procfs = procfs;
    this.rootfs = rootfs;
    this.bootClock = bootClock;
    this.names = names;
    this.hostRoot = identify(rootfs);
    this.ownCgroup = readOwnCgroup(procfs, rootfs);
    this.halts = createHaltReader(procfs, rootfs);
  }

  /** To be called at the beginning of each scan, which reads the facts shared by several processes once. */
  begin(): void {
    this.halts.begin();
    this.parents = new Map();
  }

  /** Inode of the host's network namespace: that of pid 1, or of the exporter where pid 1 cannot be seen. */
  hostNetns(): number | undefined {
    this.host ??= netnsLink(this.procfs, '1') ?? netnsLink(this.procfs, 'self');
    return this.host;
  }

  /** Its unit, user and container. */
  membershipOf(pid: number): Membership {
    return parseCgroup(textOf(this.procfs.piece(`${pid}/cgroup`)), this.ownCgroup);
  }

  /** Undefined: the process ended, or kept changing while it was read. */
  read(pid: number): ProcessFacts | undefined {
    for (let tries = 0; tries < ATTEMPTS; tries++) {
      const facts = this.readOnce(pid);
      if (facts) return facts;
    }
    return undefined;
  }

  private readOnce(pid: number): ProcessFacts | undefined {
    const { procfs, rootfs, hostRoot, names } = this;
    const before = statOf(procfs, pid);
    if (before === undefined || hasEnded(before)) return undefined;
    const mark = markOf(procfs, before);
    const files = readFiles(procfs, pid);
    if (files === undefined) return undefined;
    const membership = this.membershipOf(pid);
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
      firstSeen: this.bootClock.last().moment.steady,
      parent: before.parent,
      argv,
      ...(env !== undefined && { env }),
      ...root,
      gaps,
      process: {
        ...lastingFacts(before, files, membership, this.hostNetns()),
        ...(maxFds !== undefined && { maxFds }),
      },
    };
  }

  /** The statistics of a process that still runs the same program; else undefined. */
  verify(facts: ProcessFacts): ProcessStat | undefined {
    const stat = this.statOfSame(facts);
    if (stat === undefined) return undefined;
    // The file of a running program may be replaced at any time: an upgrade that waits for a restart.
    const link = this.procfs.link(`${stat.pid}/exe`);
    if (link.ok) {
      const { path, deleted } = parseExecutable(link.value);
      facts.process.executable = path;
      facts.process.executableDeleted = deleted;
    }
    return stat;
  }

  /** Same process, same program, same boot time: the last description is still true, except for its figures. */
  isUnchanged(facts: ProcessFacts): boolean {
    return facts.bootTime === this.bootClock.last().time && this.statOfSame(facts) !== undefined;
  }

  private statOfSame({ process, mark }: ProcessFacts): ProcessStat | undefined {
    const stat = statOf(this.procfs, process.pid);
    return stat !== undefined && !hasEnded(stat) && markOf(this.procfs, stat) === mark ? stat : undefined;
  }

  describe(facts: ProcessFacts, stat: ProcessStat): RunningFilebeat {
    const openFds = openDescriptors(this.procfs, stat.pid);
    this.pageBytes ??= readPageSize(this.procfs);
    const halt = this.halts.haltOf(stat, facts.cpuTicks === undefined || facts.cpuTicks === stat.cpuTicks);
    facts.cpuTicks = stat.cpuTicks;
    const parent = this.parentOf(stat);
    const lasting = unlessChanged<FilebeatProcess>(facts.described?.lasting, {
      ...facts.process,
      ...(parent !== undefined && { parent: { pid: parent.pid, comm: parent.comm } }),
      ...this.startOf(facts, stat),
    });
    const { argv, env, rootDir, rootId, identity, view } = facts;
    facts.bootTime = this.bootClock.last().time;
    facts.described = {
      process: {
        ...lasting,
        cpuSeconds: stat.cpuTicks / TICKS_PER_SECOND,
        residentBytes: stat.residentPages * this.pageBytes,
        ...(openFds !== undefined && { openFds }),
        ...(halt !== undefined && { halt }),
      },
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

  private parentOf({ parent }: ProcessStat): ProcessStat | undefined {
    if (parent <= 1) return undefined;
    if (!this.parents.has(parent)) this.parents.set(parent, statOf(this.procfs, parent));
    return this.parents.get(parent);
  }

  /** Without a boot time, it started no later than it was first seen. */
  private startOf(
    { firstSeen }: ProcessFacts,
    { startTicks }: ProcessStat,
  ): Pick<FilebeatProcess, 'startTime' | 'startUnsure'> {
    const { time, sure, moment } = this.bootClock.last();
    if (time === undefined) return { startTime: moment.at - (moment.steady - firstSeen), startUnsure: true };
    return { startTime: time + startTicks / TICKS_PER_SECOND, ...(sure ? {} : { startUnsure: true as const }) };
  }
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
