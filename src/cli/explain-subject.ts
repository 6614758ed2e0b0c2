/**
 * Which Filebeats `explain` is about, and how each is started: one command line, one running process, or every
 * instance on the host.
 */
import { posix } from 'node:path';
import { configLabel } from '../discovery/instances/foretell.js';
import { follow } from '../discovery/launch/follow.js';
import { newWorld } from '../discovery/launch/new-world.js';
import { rootUser } from '../discovery/launch/users.js';
import { createFactReader } from '../discovery/processes/process-facts.js';
import { isFilebeat } from '../discovery/processes/processes.js';
import type { Subject } from '../explain/explained.js';
import type { Command } from '../filebeat/config/command.js';
import type { FileView } from '../filebeat/files/file-view.js';
import { type PredictOptions, predict } from '../filebeat/predict.js';
import type { Prediction, ProcessId } from '../model/model.js';
import { createBootClock } from '../proc/boot-clock.js';
import { readerOf } from '../proc/permissions.js';
import { openProcFs } from '../proc/proc-fs.js';
import { openFileView } from '../proc/root-files.js';
import { hostRoot } from '../proc/vantage.js';
import type { Flags } from './flags.js';
import { StartError } from './open-host.js';

/** One Filebeat to be explained. */
export interface Asked {
  subject: Subject;
  /** Undefined: nothing but the memory knows it, so there are no files to ask. */
  predict(options: PredictOptions): Prediction | undefined;
  /** Identity among the instances of the host; absent where it is found by files and path.data. */
  instance?: string;
  process?: ProcessId;
  /** Inode of its network namespace; absent: the host's. */
  netns?: number;
  /** What its paths mean. */
  files: FileView;
}

/**
 * `explain -- filebeat -c …`, with or without the program's name. The environment is what `--env` says and nothing
 * else: the shell that asks is not the one that will start Filebeat.
 */
export function askedCommand(given: readonly string[], flags: Flags, processNames: readonly string[]): Asked {
  const files = openFileView(hostRoot(openProcFs(flags['path.procfs']), flags['path.rootfs']));
  const argv = given[0]?.startsWith('-') ? ['filebeat', ...given] : [...given];
  const cwd = posix.resolve(flags.cwd ?? process.cwd());
  const env = Object.fromEntries(flags.env.map(({ name, value }) => [name, value]));
  const inner = throughWrapper({ argv, cwd, env }, files, processNames);
  const command: Command = { argv, cwd, env, ...inner, uid: process.getuid?.() ?? 0 };
  const remarks = inner ? ['it is started through a wrapper, whose paths and variables count'] : [];
  return {
    subject: { config: configLabel(command.argv), remarks },
    predict: (options) => predict(command, files, options),
    files,
  };
}

/** A bare `filebeat` is what a shell would find: the packages put a script there that adds paths. */
function throughWrapper(
  start: { argv: string[]; cwd: string; env: Record<string, string> },
  files: FileView,
  processNames: readonly string[],
): Pick<Command, 'argv' | 'cwd' | 'env'> | undefined {
  const [program = ''] = start.argv;
  const path = program.includes('/') ? program : `/usr/bin/${program}`;
  const world = newWorld(files, processNames);
  const rest = { envOpen: false, user: rootUser, root: '/', network: 'host' as const, uncertain: [], depth: 0 };
  follow({ ...start, ...rest, program: path, byShell: true }, world);
  const [found] = world.starts;
  if (found === undefined || found.uncertain.length > 0) return undefined;
  const isSame = found.argv.join('\0') === start.argv.join('\0');
  return isSame ? undefined : { argv: found.argv, cwd: found.cwd, env: found.env };
}

/** Throws `StartError`: there is no such process, or it is no Filebeat. */
export function askedProcess(pid: number, flags: Flags, processNames: readonly string[]): Asked {
  const procfs = openProcFs(flags['path.procfs']);
  const names = ['filebeat', 'filebeat-oss', ...processNames];
  const reader = createFactReader(procfs, hostRoot(procfs, flags['path.rootfs']), createBootClock(procfs), names);
  const facts = reader.read(pid);
  if (facts === undefined) throw new StartError(`there is no process ${pid}`);
  const { argv, env, rootDir, gaps, still, standing } = facts;
  if (!isFilebeat(still.executable, argv, names)) throw new StartError(`process ${pid} is no Filebeat that collects`);
  const files = openFileView(rootDir, undefined, readerOf(standing));
  const command: Command = { argv, cwd: still.cwd ?? '/', env, uid: still.uid };
  const remarks = gaps.map((gap) => `${gap.subject} could not be seen (${gap.reason})`);
  return {
    subject: { pid, config: configLabel(argv), remarks },
    predict: (options) => predict(command, files, options),
    process: { pid, startTicks: still.startTicks },
    ...(still.netns === undefined ? {} : { netns: still.netns }),
    files,
  };
}
