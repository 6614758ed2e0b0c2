/** The Filebeat that `explain` is about, by a command line or a running process, and how it is started. */
import { posix } from 'node:path';
import { configLabel } from '../discovery/instances/config-label.js';
import type { Subject } from '../explain/explained.js';
import type { Command } from '../filebeat/config/command.js';
import type { FileView } from '../filebeat/files/file-view.js';
import { type PredictOptions, predict } from '../filebeat/predict.js';
import { predictDown } from '../filebeat/unknown-release.js';
import type { Prediction, ProcessId } from '../model/model.js';
import { openFileView } from '../proc/files/root-files.js';
import { hostRoot } from '../proc/host-visibility.js';
import { readerOf } from '../proc/permissions.js';
import { openProcFs } from '../proc/proc-fs.js';
import type { Flags } from './flags.js';
import { StartError } from './start-error.js';

/** One Filebeat to be explained. */
export interface ExplainSubject {
  subject: Subject;
  /** Undefined: it is only remembered, so there are no files to read. */
  predict(options: PredictOptions): Prediction | undefined;
  /** `Instance.id`; absent: files and path.data identify it. */
  instance?: string;
  process?: ProcessId;
  /** Inode of its network namespace; absent: the host's. */
  netns?: number;
  /** Resolves its paths. */
  files: FileView;
}

/**
 * `explain -- filebeat -c …`, with or without the program's name. Only `--env` sets its environment: the shell that
 * runs `explain` is not the one that will start Filebeat.
 */
export async function subjectOfCommand(
  given: readonly string[],
  flags: Flags,
  processNames: readonly string[],
): Promise<ExplainSubject> {
  const files = openFileView(hostRoot(openProcFs(flags['path.procfs']), flags['path.rootfs']));
  const argv = given[0]?.startsWith('-') ? ['filebeat', ...given] : [...given];
  const cwd = posix.resolve(flags.cwd ?? process.cwd());
  const env = Object.fromEntries(flags.env.map(({ name, value }) => [name, value]));
  const inner = await throughWrapper({ argv, cwd, env }, files, processNames);
  const command: Command = { argv, cwd, env, ...inner, uid: process.getuid?.() ?? 0 };
  const remarks = inner ? ['started through a wrapper; its paths and variables are used'] : [];
  return {
    subject: { config: configLabel(command.argv), remarks },
    predict: (options) => predictCommand(command, files, options),
    files,
  };
}

/** By the same rules as `check`: if the release is unknown, the prediction has both outcomes. */
function predictCommand(command: Command, files: FileView, options: PredictOptions): Prediction {
  return Object.keys(options).length === 0 ? predictDown(command, files) : predict(command, files, options);
}

/** The command that a wrapper script runs; undefined if there is no wrapper. Filebeat's packages put one at /usr/bin/filebeat that adds paths. */
async function throughWrapper(
  start: { argv: string[]; cwd: string; env: Record<string, string> },
  files: FileView,
  processNames: readonly string[],
): Promise<Pick<Command, 'argv' | 'cwd' | 'env'> | undefined> {
  const [program = ''] = start.argv;
  const path = program.includes('/') ? program : `/usr/bin/${program}`;
  if (isProgramItself(path, files, processNames)) return undefined;
  const [{ follow }, { newLaunchContext }, { rootUser }] = await Promise.all([
    import('../discovery/launch/follow.js'),
    import('../discovery/launch/new-launch-context.js'),
    import('../discovery/launch/users.js'),
  ]);
  const context = newLaunchContext(files, processNames);
  const asRoot = { envIncomplete: false, user: rootUser, root: '/', network: 'host' as const, uncertain: [], depth: 0 };
  follow({ ...start, ...asRoot, program: path, byShell: true }, context);
  const [inner] = context.starts;
  if (inner === undefined || inner.uncertain.length > 0) return undefined;
  const isSame = inner.argv.join('\0') === start.argv.join('\0');
  return isSame ? undefined : { argv: inner.argv, cwd: inner.cwd, env: inner.env };
}

const filebeatNames = ['filebeat', 'filebeat-oss'];

/** It is named like a Filebeat and is an ELF file or missing: no wrapper to follow. */
function isProgramItself(path: string, files: FileView, processNames: readonly string[]): boolean {
  if (![...filebeatNames, ...processNames].includes(posix.basename(path))) return false;
  const head = files.head(path, 4);
  if (!head.ok) return head.gap.reason === 'missing';
  return Buffer.from(head.value).toString('latin1') === '\x7fELF';
}

/** Throws `StartError`: there is no such process, or it is not a Filebeat. */
export async function subjectOfProcess(
  pid: number,
  flags: Flags,
  processNames: readonly string[],
): Promise<ExplainSubject> {
  const [{ FactReader }, { isFilebeat }, { createBootClock }] = await Promise.all([
    import('../discovery/processes/process-facts.js'),
    import('../discovery/processes/process-check.js'),
    import('../proc/boot-clock.js'),
  ]);
  const procfs = openProcFs(flags['path.procfs']);
  const names = [...filebeatNames, ...processNames];
  const reader = new FactReader(procfs, hostRoot(procfs, flags['path.rootfs']), createBootClock(procfs), names);
  const facts = reader.read(pid);
  if (facts === undefined) throw new StartError(`there is no process ${pid}`);
  const { argv, env, rootDir, gaps, process, identity } = facts;
  if (!isFilebeat(process.executable, argv, names))
    throw new StartError(`process ${pid} is not a Filebeat that collects events`);
  const files = openFileView(rootDir, undefined, readerOf(identity));
  const command: Command = { argv, cwd: process.cwd ?? '/', env, uid: process.uid };
  const remarks = gaps.map((gap) => `${gap.subject} could not be read (${gap.reason})`);
  return {
    subject: { pid, config: configLabel(argv), remarks },
    predict: (options) => predictCommand(command, files, options),
    process: { pid, startTicks: process.startTicks },
    ...(process.netns === undefined ? {} : { netns: process.netns }),
    files,
  };
}
