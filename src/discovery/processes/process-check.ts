/** Whether a process is a Filebeat, by its program file and its command line. */
import { posix } from 'node:path';
import { isCollector } from '../../filebeat/config/command.js';
import type { ProcFs } from '../../proc/proc-fs.js';
import { parseCmdline, parseExecutable } from '../../proc/process-files.js';
import { bearsTheName, isFilebeatProgram } from '../launch/programs.js';
import type { ProcessFacts } from './process-facts.js';
import type { OtherProcess } from './recheck-queue.js';

export interface Check extends Pick<OtherProcess, 'program' | 'isFromExe' | 'denied'> {
  /** It has the program of a Filebeat; its whole command line decides. */
  isCandidate: boolean;
  /** It has ended. */
  hasEnded: boolean;
  /** Basename of a program that is named like a Filebeat and not known as one. */
  namesake?: string;
}

/** Whether `exe` leads to the same file as in the last check: one system call. */
export function runsSameProgram(procfs: ProcFs, pid: number, { isFromExe, program }: OtherProcess): boolean {
  if (!isFromExe) return false;
  const exe = procfs.link(`${pid}/exe`);
  return exe.ok && exe.value === program;
}

/** Of a process that is new, whose program has changed, or whose `exe` cannot be read. */
export function checkProcess(
  procfs: ProcFs,
  pid: number,
  before: OtherProcess | undefined,
  names: readonly string[],
): Check {
  const exe = (before?.isFromExe ?? true) ? procfs.link(`${pid}/exe`) : undefined;
  const cmdline = procfs.piece(`${pid}/cmdline`);
  // Zombies and kernel threads have neither `exe` nor command line.
  const argv = cmdline.ok ? parseCmdline(cmdline.value.slice(0, 4096)) : [];
  const path = exe?.ok ? parseExecutable(exe.value).path : undefined;
  const beginning = cmdline.ok ? cmdline.value.slice(0, 256) : undefined;
  const isCandidate = isNamed(path, argv, names);
  const namesake = isCandidate ? undefined : [path, argv[0]].find((one) => one !== undefined && bearsTheName(one));
  return {
    isCandidate,
    hasEnded: !exe?.ok && !cmdline.ok && cmdline.gap.reason === 'vanished',
    ...(namesake === undefined ? {} : { namesake: posix.basename(namesake) }),
    program: exe?.ok ? exe.value : beginning,
    isFromExe: exe?.ok ?? false,
    denied: !cmdline.ok && cmdline.gap.reason === 'denied',
  };
}

/**
 * By the program file, or by `argv[0]` (in a container without a directory): packages and archives run `filebeat`, Elastic
 * Agent 8.13 to 9.0 runs `agentbeat filebeat …`, and 9.x runs inputs inside `elastic-otel-collector`.
 */
function isNamed(executable: string | undefined, argv: readonly string[], names: readonly string[]): boolean {
  return [executable, argv[0]].some((path) => path !== undefined && isFilebeatProgram(path, argv[1], names));
}

/** `names`: further names of the program. `collects`: false for `filebeat test`, `export`, `setup`, … */
export function isFilebeat(
  executable: string | undefined,
  argv: readonly string[],
  names: readonly string[],
  collects: (argv: readonly string[]) => boolean = isCollector,
): boolean {
  return argv.length > 0 && isNamed(executable, argv, names) && collects(argv);
}

/**
 * Pids of children that look like a second Filebeat: Filebeat starts helpers by fork and exec, and in between a child has the
 * command line of its parent. No Filebeat starts another one.
 */
export function forkedCopies(filebeats: readonly ProcessFacts[]): Set<number> {
  const byPid = new Map(filebeats.map((facts) => [facts.process.pid, facts]));
  const copies = new Set<number>();
  for (const { process, argv, parent } of filebeats) {
    const other = byPid.get(parent);
    const isSameUser = other?.process.uid === process.uid;
    if (other && isSameUser && other.argv.length === argv.length && other.argv.every((word, at) => word === argv[at]))
      copies.add(process.pid);
  }
  return copies;
}
