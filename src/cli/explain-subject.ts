/**
 * Which Filebeats `explain` is about, and how each is started: one command line, one running process, or every
 * instance on the host.
 */
import { posix } from 'node:path';
import { configLabel } from '../discovery/instances/config-label.js';
import type { Subject } from '../explain/explained.js';
import type { Command } from '../filebeat/config/command.js';
import type { FileView } from '../filebeat/files/file-view.js';
import { type PredictOptions, predict } from '../filebeat/predict.js';
import { predictDown } from '../filebeat/unknown-release.js';
import type { Prediction, ProcessId } from '../model/model.js';
import { hostRoot } from '../proc/host-visibility.js';
import { readerOf } from '../proc/permissions.js';
import { openProcFs } from '../proc/proc-fs.js';
import { openFileView } from '../proc/root-files.js';
import type { Flags } from './flags.js';
import { StartError } from './start-error.js';

/** One Filebeat to be explained. */
export interface ExplainSubject {
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
  const remarks = inner ? ['it is started through a wrapper, whose paths and variables count'] : [];
  return {
    subject: { config: configLabel(command.argv), remarks },
    predict: (options) => foresee(command, files, options),
    files,
  };
}

/** By the same rules as `check`: where nothing tells the release, both outcomes are said. */
function foresee(command: Command, files: FileView, options: PredictOptions): Prediction {
  return Object.keys(options).length === 0 ? predictDown(command, files) : predict(command, files, options);
}

/** A bare `filebeat` is what a shell would find: the packages put a script there that adds paths. */
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
  const world = newLaunchContext(files, processNames);
  const rest = { envIncomplete: false, user: rootUser, root: '/', network: 'host' as const, uncertain: [], depth: 0 };
  follow({ ...start, ...rest, program: path, byShell: true }, world);
  const [found] = world.starts;
  if (found === undefined || found.uncertain.length > 0) return undefined;
  const isSame = found.argv.join('\0') === start.argv.join('\0');
  return isSame ? undefined : { argv: found.argv, cwd: found.cwd, env: found.env };
}

const filebeatNames = ['filebeat', 'filebeat-oss'];

/** Bears the name and is no script, or is not there. */
function isProgramItself(path: string, files: FileView, processNames: readonly string[]): boolean {
  if (![...filebeatNames, ...processNames].includes(posix.basename(path))) return false;
  const head = files.head(path, 4);
  if (!head.ok) return head.gap.reason === 'missing';
  return Buffer.from(head.value).toString('latin1') === '\x7fELF';
}

/** Throws `StartError`: there is no such process, or it is no Filebeat. */
export async function subjectOfProcess(
  pid: number,
  flags: Flags,
  processNames: readonly string[],
): Promise<ExplainSubject> {
  const [{ createFactReader }, { isFilebeat }, { createBootClock }] = await Promise.all([
    import('../discovery/processes/process-facts.js'),
    import('../discovery/processes/processes.js'),
    import('../proc/boot-clock.js'),
  ]);
  const procfs = openProcFs(flags['path.procfs']);
  const names = [...filebeatNames, ...processNames];
  const reader = createFactReader(procfs, hostRoot(procfs, flags['path.rootfs']), createBootClock(procfs), names);
  const facts = reader.read(pid);
  if (facts === undefined) throw new StartError(`there is no process ${pid}`);
  const { argv, env, rootDir, gaps, still, identity: standing } = facts;
  if (!isFilebeat(still.executable, argv, names)) throw new StartError(`process ${pid} is no Filebeat that collects`);
  const files = openFileView(rootDir, undefined, readerOf(standing));
  const command: Command = { argv, cwd: still.cwd ?? '/', env, uid: still.uid };
  const remarks = gaps.map((gap) => `${gap.subject} could not be seen (${gap.reason})`);
  return {
    subject: { pid, config: configLabel(argv), remarks },
    predict: (options) => foresee(command, files, options),
    process: { pid, startTicks: still.startTicks },
    ...(still.netns === undefined ? {} : { netns: still.netns }),
    files,
  };
}
