/** One reading of a running process: the files of `/proc/<pid>` that stay the same between two `exec`s. */
import type { FilebeatProcess, Gap, Reading } from '../../model/model.js';
import type { Membership } from '../../proc/cgroup.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import {
  type ProcessStat,
  parseCmdline,
  parseEnviron,
  parseExecutable,
  parseStatus,
} from '../../proc/process-files.js';
import { readNetns } from './process-view.js';

/** The facts of a process that every scan would read again with the same result. */
export type LastingFacts = Omit<
  FilebeatProcess,
  'startTime' | 'startUnsure' | 'halt' | 'parent' | 'cpuSeconds' | 'residentBytes' | 'openFds'
>;

/** Where `stat` hides the stack address from us, the command line takes its place. */
export function markOf(procfs: ProcFs, { pid, startTicks, stackStart }: ProcessStat): string {
  const mark = `${startTicks} ${stackStart}`;
  if (stackStart !== '0') return mark;
  const cmdline = procfs.piece(`${pid}/cmdline`);
  return cmdline.ok ? `${mark} ${cmdline.value}` : mark;
}

export function hasEnded({ state }: ProcessStat): boolean {
  return state === 'Z' || state === 'X';
}

/** What files of `/proc/<pid>` say, and a gap for each that cannot be read. Undefined: the process ended, or is a thread. */
export function readFiles(procfs: ProcFs, pid: number) {
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

export function lastingFacts(
  { pid, startTicks, comm }: ProcessStat,
  { uid, status, cwd, netns, program }: NonNullable<ReturnType<typeof readFiles>>,
  { unit, container, engine, user, userUnit }: Membership,
  hostNetns: number | undefined,
): LastingFacts {
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

export function textOf(reading: Reading<string>): string {
  return reading.ok ? reading.value : '';
}
