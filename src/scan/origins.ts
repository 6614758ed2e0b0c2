/**
 * All reasons to know of a Filebeat, as candidates: it runs, a unit wants it, a pattern matches its file, it is
 * declared, it is remembered. Each brings the prediction of what it would open.
 */
import { basename, dirname, posix } from 'node:path';
import type { Candidate } from '../discovery/instances/candidate.js';
import { networkKey, ownerOf } from '../discovery/instances/identity.js';
import {
  type Budget,
  canonical,
  defectGap,
  type FileOwners,
  predictInstance,
  readOwners,
  type Start,
} from '../discovery/instances/predict-instance.js';
import type { RunningFilebeat } from '../discovery/processes/processes.js';
import { findInitScripts } from '../discovery/systemd/sysv.js';
import { type FilebeatUnit, findUnits } from '../discovery/systemd/units.js';
import type { Command } from '../filebeat/config/command.js';
import type { Running } from '../filebeat/detect-release.js';
import type { FileView } from '../filebeat/files/file-view.js';
import { goGlob } from '../filebeat/files/glob.js';
import { canStart, changedSinceStart } from '../model/expected.js';
import { createShares, limits, sharesOf } from '../model/limits.js';
import type { FilebeatProcess, Gap, Prediction, ProcessIdentity } from '../model/model.js';
import type { FileCache } from '../proc/file-cache.js';
import { mayUse, READ, type Reader, readerOf, readerOfAccount } from '../proc/permissions.js';
import { openFileView } from '../proc/root-files.js';
import { identify } from '../proc/root-identity.js';
import { containDefect } from '../runtime/defect.js';
import { rememberedCandidates } from '../state/memory-questions.js';
import type { RememberedInstance, State } from '../state/memory-state.js';

/** A candidate with what it would open; a remembered one has nothing on disk to ask. */
export interface Origin extends Candidate {
  prediction?: Prediction;
  start?: Start;
  running?: RunningFilebeat;
  gaps?: Gap[];
}

/** What the predictions of an owner may cost in one pass: 0 is the system, which is bounded for each of them alone. */
export type Budgets = (account: number) => Budget;

export function createBudgets(): Budgets {
  const shares = createShares(limits.passWork);
  const { one } = sharesOf(limits.passWork);
  return (account) =>
    account === 0
      ? { each: limits.predictionWork, left: () => limits.predictionWork, use: () => undefined }
      : {
          each: one,
          left: () => shares.room(account),
          use: (units) => void shares.take(account, units),
        };
}

/** More main files than this below one pattern are a mistake in the pattern. */
const globLimit = limits.globMatches;

/** `known`: what is remembered of this very process. */
export function fromProcess(
  running: RunningFilebeat,
  rootfs: string,
  kept: FileCache,
  budgets: Budgets,
  known?: RememberedInstance,
): Origin {
  const { process, argv, env, rootDir, rootId, identity: standing, view } = running;
  const command: Command = { argv, cwd: process.cwd ?? '/', env, uid: process.uid };
  const key = `${process.pid}:${process.startTicks}`;
  const started: Running = {
    startTime: process.startTime,
    executableDeleted: process.executableDeleted,
    ...(known?.release === undefined ? {} : { remembered: known.release }),
  };
  const reader = readerOf(standing);
  const budget = budgets(standing.account);
  const foretold = predictInstance(kept, key, command, rootDir, { running: started, view, reader, budget });
  const { prediction, pathData, config, start, places } = foretold;
  const sees = rootId === '/' ? seesAsHost(standing, places, prediction.mainFiles ?? [], rootfs, kept) : undefined;
  const program = basename(process.executable ?? argv[0] ?? '');
  return {
    origin: 'process',
    root: rootId,
    network: networkKey(process),
    ...placeOf(prediction, pathData, process, known),
    config,
    process,
    identity: standing,
    owner: ownerOf(standing, process.container !== undefined),
    account: standing.account,
    ...(sees === undefined ? {} : { hostView: sees }),
    ...(mayRead(reader, places) ? {} : { canRead: false }),
    ...dataDirectoryOf(places),
    ...(standing.containerName === undefined ? {} : { containerName: standing.containerName }),
    ...(process.unit === undefined ? {} : { unit: process.unit }),
    ...(process.container === undefined ? {} : { container: process.container }),
    ...(program === 'agentbeat' || program === 'elastic-otel-collector' ? { host: program } : {}),
    prediction,
    start,
    running,
  };
}

/**
 * Main files and path.data of a running process are what they were at its start: after an edit the files may say
 * something else, and those that cannot be loaded say nothing.
 */
function placeOf(
  prediction: Prediction,
  pathData: string | undefined,
  { startTime }: FilebeatProcess,
  known: RememberedInstance | undefined,
): { mainFiles: readonly string[]; pathData?: string } {
  const told = { mainFiles: prediction.mainFiles ?? [], ...(pathData === undefined ? {} : { pathData }) };
  if (known === undefined) return told;
  const stands = canStart(prediction) && !changedSinceStart(prediction, startTime, known.start);
  if (stands) return told;
  const data = known.pathData ?? pathData;
  return { mainFiles: known.mainFiles, ...(data === undefined ? {} : { pathData: data }) };
}

/** By device and inode. Absent: what can't be looked at says nothing. */
function seesAsHost(
  { hostMounts }: ProcessIdentity,
  { main }: FileOwners,
  mainFiles: readonly string[],
  rootfs: string,
  kept: FileCache,
): boolean | undefined {
  if (hostMounts !== false) return hostMounts;
  const look = (files: FileView) => readOwners(files, mainFiles, undefined).main.map((stat) => stat?.id);
  const ofHost = containDefect(
    () => kept.read(`host view ${mainFiles.join('\0')}`, mainFiles, rootfs, look),
    () => [],
  );
  const pairs = main.map((stat, at) => [stat?.id, ofHost[at]]);
  if (pairs.some(([own, host]) => own !== undefined && host !== undefined && own !== host)) return false;
  return pairs.every(([own, host]) => own !== undefined && own === host) ? true : undefined;
}

/** False only where mode, owner, groups and capabilities all deny it a main file that it was told to read. */
function mayRead(reader: Reader | undefined, { main }: FileOwners): boolean {
  if (reader === undefined) return true;
  return main.every((stat) => stat === undefined || stat.kind !== 'file' || mayUse(reader, stat, READ));
}

export function dataDirectoryOf({ data }: FileOwners): Pick<Candidate, 'dataDirectory'> {
  return data?.id === undefined ? {} : { dataDirectory: { id: data.id, owner: data.uid } };
}

/** Uid of a unit's `User=`, with which Filebeat compares a file's owner; undefined where /etc/passwd does not tell it. */
export function uidOf(user: string | undefined, files: FileView): number | undefined {
  if (user === undefined || /^\d+$/.test(user)) return Number(user ?? 0);
  const passwd = files.read('/etc/passwd', 4 * 1024 * 1024);
  const row = passwd.ok
    ? Buffer.from(passwd.value.bytes)
        .toString('utf8')
        .split('\n')
        .find((line) => line.startsWith(`${user}:`))
    : undefined;
  const uid = row?.split(':')[2];
  return uid !== undefined && /^\d+$/.test(uid) ? Number(uid) : undefined;
}

/** Folders in which everybody may make a directory before its owner does. */
const OPEN_TO_ALL = /^\/(?:tmp|var\/tmp|dev\/shm|run\/lock|var\/lock|var\/crash)\//;

/** Where nobody is named: root, or the owner of the configuration or of its data. */
export function usersByOwners({ main, data }: FileOwners, pathData: string | undefined): number[] {
  const places = pathData !== undefined && OPEN_TO_ALL.test(pathData) ? main : [...main, data];
  return [...new Set([0, ...places.flatMap((stat) => stat?.uid ?? [])])];
}

/** Of an ordinary user's own file, whatever pattern it matches. */
function accountByOwners({ main }: FileOwners): { account?: number } {
  const uid = main.find((stat) => stat !== undefined && stat.uid !== 0)?.uid;
  return uid === undefined ? {} : { account: uid };
}

/** Another root than the host's: the same as its process is found to have. */
export function rootOf(inner: string, rootfs: string): { root: string; rootDir: string } {
  if (inner === '/') return { root: '/', rootDir: rootfs };
  const path = canonical(openFileView(rootfs), inner);
  const rootDir = posix.join(rootfs, path);
  const root = identify(rootfs, path) ?? `root ${inner}`;
  return root === identify(rootfs) ? { root: '/', rootDir: rootfs } : { root, rootDir };
}

function fromUnit(unit: FilebeatUnit, rootfs: string, kept: FileCache): Origin {
  const { root, rootDir } = rootOf(unit.root, rootfs);
  const { argv, cwd, env, envHidden, user, hidden, runsAs } = unit;
  const { uid } = user;
  const command: Command = { argv, cwd, env, envHidden, uid: uid ?? 0 };
  const key = `unit ${unit.name} ${unit.index}`;
  const foretold = predictInstance(kept, key, command, rootDir, { hidden, runsAs });
  const { prediction, pathData, config, start, places, denied = [] } = foretold;
  const failures = [...unit.failures, ...denied];
  // Whom the service writes its data as, where nothing else tells it.
  const users = uid !== undefined ? [uid] : places.data?.uid ? [places.data.uid, 0] : undefined;
  return {
    origin: 'systemd',
    root,
    network: unit.ownNetwork ? `unit ${unit.name}` : 'host',
    mainFiles: prediction.mainFiles ?? [],
    ...(pathData === undefined ? {} : { pathData }),
    config,
    users,
    ...(users === undefined ? {} : { owner: users[0]! }),
    ...dataDirectoryOf(places),
    unit: unit.name,
    unitAliases: unit.aliases,
    shouldRun: unit.shouldRun,
    ...(failures.length === 0 ? {} : { failures }),
    ...unitOff(unit),
    prediction,
    start,
    gaps: unit.gaps,
  };
}

/** Why no boot starts it, where files tell. */
function unitOff({ why, condition }: FilebeatUnit): Pick<Candidate, 'unitOff'> {
  if (why === 'enabled' || why === 'unclear') return {};
  return { unitOff: { why, ...(condition === undefined ? {} : { condition }) } };
}

/**
 * Hundreds of unit files and programs have nothing to do with a Filebeat. Whatever is put there, renamed or linked
 * changes a directory; only what is edited in place is seen later, and systemd itself waits for a reload there.
 */
function isOfOthers(units: readonly FilebeatUnit[], path: string): boolean {
  if (
    !/^\/usr\/(?:s?bin|lib|libexec)\/.|^\/etc\/(?:rc\.d\/)?(?:init|rc\d)\.d\/.|\/systemd\/.+\.(?:service|conf|target|timer|socket|path|mount|slice)$/.test(
      path,
    ) ||
    /filebeat/i.test(path)
  )
    return false;
  const name = basename(path);
  return !units.some(({ fragment, dropIns }) => [fragment, ...dropIns].some((file) => basename(file) === name));
}

/** Services of systemd and of init scripts that run a Filebeat, whether they ought to or not. */
export function fromUnits(
  rootfs: string,
  processNames: readonly string[],
  running: readonly string[],
  kept: FileCache,
): { origins: Origin[]; gaps: Gap[] } {
  const search = (files: FileView) => {
    const native = findUnits(files, { processNames, running });
    const scripts = findInitScripts(
      files,
      { processNames, running },
      native.units.map((unit) => unit.name),
    );
    return { units: [...native.units, ...scripts.units], gaps: [...native.gaps, ...scripts.gaps] };
  };
  const isCalm = ({ units }: ReturnType<typeof search>, path: string) => isOfOthers(units, path);
  const found = containDefect(
    () => kept.read('units', [processNames, running], rootfs, search, { isCheckedRarely: isCalm }),
    (place) => ({ units: [], gaps: [defectGap('unit files', place)] }),
  );
  return { origins: found.units.map((unit) => fromUnit(unit, rootfs, kept)), gaps: found.gaps };
}

/** Main files by pattern. How they are started is not known: as the packages do it. */
export function fromGlobs(
  patterns: readonly string[],
  rootfs: string,
  kept: FileCache,
  budgets: Budgets,
): { origins: Origin[]; gaps: Gap[] } {
  const origins: Origin[] = [];
  const gaps: Gap[] = [];
  for (const pattern of patterns) {
    const search = (files: FileView): { paths: { path: string; canonical: string; uid: number }[]; gaps: Gap[] } => {
      const matched = goGlob(pattern, files, globLimit);
      if (!matched.ok)
        return {
          paths: [],
          gaps: [{ reason: 'malformed' as const, subject: pattern, detail: 'not a usable pattern' }],
        };
      const paths = matched.paths.flatMap((path) => {
        const stat = files.stat(path);
        if (!stat.ok || stat.value.kind !== 'file') return [];
        return [{ path, canonical: canonical(files, path), uid: stat.value.uid }];
      });
      return { paths, gaps: matched.gaps };
    };
    const found = containDefect(
      () => kept.read(`glob ${pattern}`, pattern, rootfs, search),
      (place) => ({ paths: [], gaps: [defectGap(pattern, place)] }),
    );
    gaps.push(...found.gaps);
    for (const { path, canonical: main, uid } of found.paths) {
      const argv = [
        '/usr/share/filebeat/bin/filebeat',
        '-c',
        path,
        '--path.home',
        '/usr/share/filebeat',
        '--path.config',
        dirname(path),
      ];
      const command = { argv, cwd: '/', env: {}, uid: 0 };
      const { prediction, pathData, start, places } = predictInstance(kept, `glob ${path}`, command, rootfs, {
        budget: budgets(uid),
        reader: readerOfAccount(uid),
      });
      const known = { mainFiles: [main], config: path, users: usersByOwners(places, pathData), prediction, start };
      origins.push({ origin: 'config_glob', root: '/', network: 'host', ...known, ...accountByOwners(places) });
    }
  }
  return { origins, gaps };
}

/** Of one of whom 0.1.0 wrote no owner, the owners of its files say who may run it. */
export function fromMemory(state: State, bootId: string, rootfs: string, kept: FileCache): Origin[] {
  return rememberedCandidates(state, bootId).map((one) => {
    if (one.users !== undefined || one.root !== '/') return one;
    const look = (files: FileView) => usersByOwners(readOwners(files, one.mainFiles, one.pathData), one.pathData);
    const users = containDefect(
      () => kept.read(`owners ${one.remembered!.id}`, [one.mainFiles, one.pathData], rootfs, look),
      () => [],
    );
    return { ...one, users };
  });
}
