/** Running Filebeats as candidates. */
import { basename } from 'node:path';
import { networkKey, ownerOf } from '../../discovery/instances/identity.js';
import { type FileOwners, predictInstance, readOwners } from '../../discovery/instances/predict-instance.js';
import type { RunningFilebeat } from '../../discovery/processes/process-facts.js';
import type { Command } from '../../filebeat/config/command.js';
import type { Running } from '../../filebeat/detect-release.js';
import type { FileView } from '../../filebeat/files/file-view.js';
import { canStart, changedSinceStart } from '../../model/expected.js';
import { processKey } from '../../model/instance-rules.js';
import type { FilebeatProcess, Prediction, ProcessIdentity } from '../../model/model.js';
import { mayUse, READ, type Reader, readerOf } from '../../proc/permissions.js';
import { containDefect } from '../../runtime/defect.js';
import { perObject } from '../../runtime/unchanged.js';
import type { RememberedInstance } from '../../state/memory-state.js';
import { dataDirectoryOf, type Origin, type OriginContext } from './candidate-origin.js';

/** `known`: what is remembered of this very process. */
export function fromProcess(running: RunningFilebeat, context: OriginContext, known?: RememberedInstance): Origin {
  const { lasting: process, argv, env, rootDir, rootId, identity, view } = running;
  const command = commandOf(process, argv, env);
  const started: Running = {
    startTime: process.startTime,
    executableDeleted: process.executableDeleted,
    ...(known?.release === undefined ? {} : { remembered: known.release }),
  };
  const reader = readerOf(identity);
  const budget = context.budgets(identity.account);
  const options = { running: started, view, reader, budget };
  const predicted = predictInstance(context.fileCache, processKey(process), command, rootDir, options);
  const { prediction, pathData, config, start, owners } = predicted;
  const hostView = rootId === '/' ? seesHostFiles(identity, owners, prediction.mainFiles ?? [], context) : undefined;
  const program = basename(process.executable ?? argv[0] ?? '');
  return {
    origin: 'process',
    root: rootId,
    network: networkKey(process),
    ...pathsAtStart(prediction, pathData, process, known),
    config,
    process,
    identity,
    owner: ownerOf(identity, process.container !== undefined),
    account: identity.account,
    ...(hostView === undefined ? {} : { hostView }),
    ...(mayRead(reader, owners) ? {} : { canRead: false }),
    ...dataDirectoryOf(owners),
    ...(identity.containerName === undefined ? {} : { containerName: identity.containerName }),
    ...(process.unit === undefined ? {} : { unit: process.unit }),
    ...(process.container === undefined ? {} : { container: process.container }),
    ...(program === 'agentbeat' || program === 'elastic-otel-collector' ? { host: program } : {}),
    prediction,
    start,
  };
}

/** The same object for the same process. */
const commandOf = perObject(
  (process: FilebeatProcess, argv: string[], env: Command['env']): Command => ({
    argv,
    cwd: process.cwd ?? '/',
    env,
    uid: process.uid,
  }),
);

/**
 * Main files and path.data of a process are those at its start. After an edit the files may name others, and files that
 * cannot be loaded name none; then the remembered ones count.
 */
function pathsAtStart(
  prediction: Prediction,
  pathData: string | undefined,
  { startTime }: FilebeatProcess,
  known: RememberedInstance | undefined,
): { mainFiles: readonly string[]; pathData?: string } {
  const onDisk = { mainFiles: prediction.mainFiles ?? [], ...(pathData === undefined ? {} : { pathData }) };
  if (known === undefined) return onDisk;
  if (canStart(prediction) && !changedSinceStart(prediction, startTime, known.start)) return onDisk;
  const data = known.pathData ?? pathData;
  return { mainFiles: known.mainFiles, ...(data === undefined ? {} : { pathData: data }) };
}

/** Whether its main files are the host's, by device and inode; undefined where one of them cannot be read. */
function seesHostFiles(
  { hostMounts }: ProcessIdentity,
  { main }: FileOwners,
  mainFiles: readonly string[],
  { rootfs, fileCache }: OriginContext,
): boolean | undefined {
  if (hostMounts !== false) return hostMounts;
  const idsOf = (files: FileView) => readOwners(files, mainFiles, undefined).main.map((stat) => stat?.id);
  const onHost = containDefect(
    () => fileCache.read(`host view ${mainFiles.join('\0')}`, mainFiles, rootfs, idsOf),
    () => [],
  );
  const pairs = main.map((stat, at) => [stat?.id, onHost[at]]);
  if (pairs.some(([own, host]) => own !== undefined && host !== undefined && own !== host)) return false;
  return pairs.every(([own, host]) => own !== undefined && own === host) ? true : undefined;
}

/** False only where mode, owner, groups and capabilities all deny it one of its main files. */
function mayRead(reader: Reader | undefined, { main }: FileOwners): boolean {
  if (reader === undefined) return true;
  return main.every((stat) => stat === undefined || stat.kind !== 'file' || mayUse(reader, stat, READ));
}
