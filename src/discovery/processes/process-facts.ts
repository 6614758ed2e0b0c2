/**
 * Everything the program knows about one running Filebeat, from `/proc/<pid>`: read once per program run
 * (pid, start time, exec), afterwards only what changes is read again.
 */
import { TICKS_PER_SECOND } from '../../model/instance-rules.js';
import type { FilebeatProcess, Gap, ProcessIdentity, Reading } from '../../model/model.js';
import type { BootClock } from '../../proc/boot-clock.js';
import { type Membership, parseCgroup } from '../../proc/cgroup.js';
import { createHaltReader } from '../../proc/halt.js';
import { readOwnCgroup } from '../../proc/own-cgroup.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import {
  type ProcessStat,
  parseCmdline,
  parseEnviron,
  parseExecutable,
  parseMaxOpenFiles,
  parseNamespaceLink,
  parseStat,
  parseStatus,
} from '../../proc/process-files.js';
import { identify } from '../../proc/root-identity.js';
import { readIdentity } from './process-identity.js';

/** A Filebeat that runs: its facts for the model, and what stays inside of the program. */
export interface RunningFilebeat {
  process: FilebeatProcess;
  argv: string[];
  /** What it was started with; undefined when that could not be read. */
  env?: Record<string, string>;
  /** The directory that is `/` for it: for `openFileView`. */
  rootDir: string;
  /** Same for processes with the same root: `/` for the host's, else the container or the root's device and inode. */
  rootId: string;
  /** Who it may be. */
  identity: ProcessIdentity;
  /** Same for processes that see the same files: root and mount namespace. Absent where that cannot be told. */
  view?: string;
}

/** What a process is between two `exec`s; as long as `mark` stays, nothing in here changes. */
export interface Facts extends Omit<RunningFilebeat, 'process'> {
  mark: string;
  parent: number;
  /** `Clock.steady` when it was first looked at. */
  metAt: number;
  /** Clock ticks of processor time at the last look. */
  cpuTicks?: number;
  /** As it was described last, and the boot time that its start was reckoned from. */
  told?: RunningFilebeat;
  bootTime?: number | undefined;
  still: Omit<
    FilebeatProcess,
    'startTime' | 'startUnsure' | 'halt' | 'parent' | 'cpuSeconds' | 'residentBytes' | 'openFds'
  >;
  gaps: Gap[];
}

export interface FactReader {
  /** To be called at the beginning of each scan: what one scan reads once is read again. */
  begin(): void;
  /** The network namespace of the host: pid 1's, or ours where that cannot be seen. */
  hostNetns(): number | undefined;
  /** `undefined`: it ended or became another program while we looked. */
  read(pid: number): Facts | undefined;
  /** Same process, same program, and no clock was set: what was described last is true but for its figures. */
  stands(pid: number, facts: Facts): boolean;
  /** Same process, same program? Then its statistics; else undefined. */
  verify(pid: number, facts: Facts): ProcessStat | undefined;
  describe(facts: Facts, stat: ProcessStat): RunningFilebeat;
  /** Its unit, user and container. */
  membershipOf(pid: number): Membership;
}

/** How often a process may change under our eyes before it counts as vanished. */
const ATTEMPTS = 3;

/** `names`: of the program, see `isFilebeatProgram`. */
export function createFactReader(
  procfs: ProcFs,
  rootfs: string,
  bootClock: BootClock,
  names: readonly string[],
): FactReader {
  let host: number | undefined;
  let pageBytes: number | undefined;
  const rootOfHost = identify(rootfs);
  const ownCgroup = readOwnCgroup(procfs, rootfs);
  const halts = createHaltReader(procfs, rootfs);
  /** By pid, of this scan. */
  let parents = new Map<number, ProcessStat | undefined>();

  function stat(pid: number): ProcessStat | undefined {
    const text = procfs.piece(`${pid}/stat`);
    return text.ok ? parseStat(text.value) : undefined;
  }

  /** Chosen anew by every exec; where its part in `stat` is hidden from us, the command line has to do. */
  function markOf(pid: number, seen: ProcessStat): string {
    const mark = `${seen.startTicks} ${seen.stackStart}`;
    if (seen.stackStart !== '0') return mark;
    const cmdline = procfs.piece(`${pid}/cmdline`);
    return cmdline.ok ? `${mark} ${cmdline.value}` : mark;
  }

  function hostNetns(): number | undefined {
    host ??= netnsOfLink(procfs.link('1/ns/net')) ?? netnsOfLink(procfs.link('self/ns/net'));
    return host;
  }

  function membershipOf(pid: number): Membership {
    return parseCgroup(textOr(procfs.piece(`${pid}/cgroup`)), ownCgroup);
  }

  function netnsOf(pid: number): Reading<number> {
    const link = procfs.link(`${pid}/ns/net`);
    if (link.ok) {
      const netns = parseNamespaceLink(link.value, 'net');
      if (netns !== undefined) return { ok: true, value: netns };
      return { ok: false, gap: { reason: 'malformed', subject: `/proc/${pid}/ns/net` } };
    }
    // The link is denied to strangers, `net/` is not, and each namespace has its own inodes there, taken from
    // the same numbers as the namespaces' own (proc_alloc_inum in fs/proc/generic.c): unique without privilege.
    const table = procfs.real ? procfs.stat(`${pid}/net/udp`) : undefined;
    if (!table?.ok) return link;
    const ours = procfs.stat('self/net/udp');
    const own = ours.ok && ours.value.ino === table.value.ino ? netnsOfLink(procfs.link('self/ns/net')) : undefined;
    return { ok: true, value: own ?? table.value.ino };
  }

  function rootOf(
    pid: number,
    { container, nest, user }: Membership,
  ): { rootDir: string; rootId: string; view?: string; gap?: Gap } {
    const own = `${procfs.root}/${pid}/root`;
    // A user's containers are his: what he calls them makes them nobody else's.
    const inner =
      container === undefined ? undefined : `${user === undefined ? '' : `user ${user} `}${nest ?? container}`;
    const root = procfs.stat(`${pid}/root/.`);
    if (root.ok) {
      const { dev, ino } = root.value;
      const mounts = procfs.link(`${pid}/ns/mnt`);
      const view = mounts.ok ? { view: `${mounts.value} ${dev}:${ino}` } : {};
      if (`${dev}:${ino}` === rootOfHost) return { rootDir: own, rootId: '/', ...view };
      return { rootDir: own, rootId: inner ?? `${dev}:${ino}`, ...view };
    }
    const gap: Gap = { ...root.gap, subject: `/proc/${pid}/root` };
    // No container by its control group, so what it sees is taken to be what the host has.
    if (inner === undefined) return { rootDir: rootfs, rootId: '/', ...(gap.reason === 'denied' && { gap }) };
    return { rootDir: own, rootId: inner, gap };
  }

  function attempt(pid: number): Facts | undefined {
    const before = stat(pid);
    if (before === undefined || before.state === 'Z' || before.state === 'X') return undefined;
    const gaps: Gap[] = [];
    const seen = <T>(reading: Reading<T>): T | undefined => {
      if (reading.ok) return reading.value;
      gaps.push(reading.gap);
      return undefined;
    };
    const mark = markOf(pid, before);
    const executable = seen(procfs.link(`${pid}/exe`));
    const cmdline = procfs.piece(`${pid}/cmdline`);
    if (!cmdline.ok) return undefined;
    const cwd = seen(procfs.link(`${pid}/cwd`));
    const environ = seen(procfs.piece(`${pid}/environ`));
    const netns = seen(netnsOf(pid));
    const status = parseStatus(textOr(procfs.piece(`${pid}/status`)));
    if (status.threadGroup !== undefined && status.threadGroup !== pid) return undefined;
    const uid = status.uid ?? seen(procfs.stat(`${pid}`))?.uid;
    if (uid === undefined) return undefined;
    const membership = membershipOf(pid);
    const { unit, container, engine, user, userUnit } = membership;
    const root = rootOf(pid, membership);
    if (root.gap) gaps.push(root.gap);
    const maxFds = parseMaxOpenFiles(textOr(procfs.piece(`${pid}/limits`)));

    // Only if it is still the same process and program do all these belong together.
    const after = stat(pid);
    if (after === undefined || markOf(pid, after) !== mark) return undefined;
    for (const gap of gaps) if (gap.reason === 'vanished') gap.reason = 'missing';

    const program = executable === undefined ? undefined : parseExecutable(executable);
    const home = hostNetns();
    const argv = parseCmdline(cmdline.value);
    const env = environ === undefined ? undefined : parseEnviron(environ);
    const seenSoFar = { pid, uid, status, membership, argv, env, cwd, program, rootDir: root.rootDir };
    return {
      mark,
      identity: readIdentity(procfs, rootfs, names, seenSoFar),
      metAt: bootClock.last().moment.steady,
      parent: before.parent,
      argv,
      ...(env !== undefined && { env }),
      rootDir: root.rootDir,
      rootId: root.rootId,
      ...(root.view !== undefined && { view: root.view }),
      gaps,
      still: {
        pid,
        startTicks: before.startTicks,
        comm: before.comm,
        uid,
        executableDeleted: program?.deleted ?? false,
        ...(program && { executable: program.path }),
        ...(cwd !== undefined && { cwd }),
        ...(netns !== undefined && { netns }),
        ...(netns !== undefined && home !== undefined && { hostNetns: netns === home }),
        ...(unit !== undefined && { unit }),
        ...(user !== undefined && userUnit !== undefined && { userUnit: { uid: user, unit: userUnit } }),
        ...(container !== undefined && { container }),
        ...(engine !== undefined && { engine }),
        ...(status.canBindPrivileged !== undefined && { canBindPrivileged: status.canBindPrivileged }),
        ...(maxFds !== undefined && { maxFds }),
      },
    };
  }

  function read(pid: number): Facts | undefined {
    for (let tries = 0; tries < ATTEMPTS; tries++) {
      const facts = attempt(pid);
      if (facts) return facts;
    }
    return undefined;
  }

  function statOfSame(pid: number, facts: Facts): ProcessStat | undefined {
    const seen = stat(pid);
    if (seen === undefined || seen.state === 'Z' || seen.state === 'X') return undefined;
    return markOf(pid, seen) === facts.mark ? seen : undefined;
  }

  function stands(pid: number, facts: Facts): boolean {
    return facts.bootTime === bootClock.last().time && statOfSame(pid, facts) !== undefined;
  }

  function verify(pid: number, facts: Facts): ProcessStat | undefined {
    const seen = statOfSame(pid, facts);
    if (seen === undefined) return undefined;
    // The file behind a running program may be replaced at any time: an upgrade that awaits its restart.
    const link = procfs.link(`${pid}/exe`);
    if (link.ok) {
      const { path, deleted } = parseExecutable(link.value);
      facts.still.executable = path;
      facts.still.executableDeleted = deleted;
    }
    return seen;
  }

  function begin(): void {
    halts.begin();
    parents = new Map();
  }

  /** A supervisor may have started many. */
  function parentOf({ parent }: ProcessStat): ProcessStat | undefined {
    if (parent <= 1) return undefined;
    if (!parents.has(parent)) parents.set(parent, stat(parent));
    return parents.get(parent);
  }

  function tell(facts: Facts, seen: ProcessStat): RunningFilebeat {
    const openFds = openDescriptors(procfs, seen.pid);
    pageBytes ??= readPageSize(procfs);
    const halt = halts.haltOf(seen, facts.cpuTicks === undefined || facts.cpuTicks === seen.cpuTicks);
    facts.cpuTicks = seen.cpuTicks;
    const parent = parentOf(seen);
    const process: FilebeatProcess = {
      ...facts.still,
      ...(parent !== undefined && { parent: { pid: parent.pid, comm: parent.comm } }),
      ...startOf(facts, seen),
      cpuSeconds: seen.cpuTicks / TICKS_PER_SECOND,
      residentBytes: seen.residentPages * pageBytes,
      ...(openFds !== undefined && { openFds }),
      ...(halt !== undefined && { halt }),
    };
    const { argv, env, rootDir, rootId, identity: standing, view } = facts;
    facts.bootTime = bootClock.last().time;
    facts.told = {
      process,
      argv,
      ...(env !== undefined && { env }),
      rootDir,
      rootId,
      identity: standing,
      ...(view !== undefined && { view }),
    };
    return facts.told;
  }

  /** Where no clock tells when it started, it was no later than when we met it. */
  function startOf({ metAt }: Facts, { startTicks }: ProcessStat): Pick<FilebeatProcess, 'startTime' | 'startUnsure'> {
    const { time, sure, moment } = bootClock.last();
    if (time === undefined) return { startTime: moment.at - (moment.steady - metAt), startUnsure: true };
    return { startTime: time + startTicks / TICKS_PER_SECOND, ...(sure ? {} : { startUnsure: true as const }) };
  }

  return { begin, hostNetns, read, stands, verify, describe: tell, membershipOf };
}

/** Since Linux 6.2 the directory's size is the number of open descriptors; before, it is 0 and they are listed. */
function openDescriptors(procfs: ProcFs, pid: number): number | undefined {
  if (procfs.real) {
    const directory = procfs.stat(`${pid}/fd`);
    if (directory.ok && directory.value.size > 0) return directory.value.size;
  }
  const names = procfs.list(`${pid}/fd`);
  return names.ok ? names.value.length : undefined;
}

/** `KernelPageSize:        4 kB`; `stat` counts resident memory in pages, and Node doesn't tell their size. */
function readPageSize(procfs: ProcFs): number {
  const maps = procfs.text('self/smaps', (_, length) => length > 2048);
  const match = maps.ok ? /^KernelPageSize:\s+(\d+) kB$/m.exec(maps.value) : null;
  return match ? Number(match[1]) * 1024 : 4096;
}

function netnsOfLink(link: Reading<string>): number | undefined {
  return link.ok ? parseNamespaceLink(link.value, 'net') : undefined;
}

function textOr(reading: Reading<string>): string {
  return reading.ok ? reading.value : '';
}
