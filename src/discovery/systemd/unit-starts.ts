/** A service's commands → the Filebeats that they start. */
import { posix } from 'node:path';
import type { FileView } from '../../filebeat/files/file-view.js';
import type { FilebeatStart } from '../../model/model.js';
import { follow } from '../launch/follow.js';
import { isKnown, isWritten, type Launch, type LaunchContext } from '../launch/launch-context.js';
import { newLaunchContext } from '../launch/new-launch-context.js';
import { findProgram } from '../launch/programs.js';
import { filesBelow } from '../launch/rooted-files.js';
import type { ServiceCommand } from './unit-commands.js';
import type { Service } from './unit-service.js';
import { type HiddenPath, seenBy } from './unit-view.js';
import type { Writer } from './unit-writers.js';

export interface ServiceStarts {
  starts: Omit<FilebeatStart, 'unit' | 'index'>[];
  unclear: LaunchContext['unclear'];
  failures: string[];
  /** Paths that are written before or during the start. */
  written: HiddenPath[];
  /** Units that its commands ask systemd to start. */
  requestedUnits: ReadonlySet<string>;
}

export function startsOf(
  unit: string,
  service: Service,
  files: FileView,
  { processNames, writers, parsed }: Pick<LaunchContext, 'processNames' | 'parsed'> & { writers: readonly Writer[] },
): ServiceStarts {
  const root = service.rootDirectory ?? '/';
  const world = newLaunchContext(seenBy(filesBelow(files, root), service.hidden), processNames, parsed);
  const launch: Launch = {
    argv: [],
    program: '',
    cwd: service.cwd,
    env: service.env,
    envIncomplete: service.envIncomplete,
    user: service.user,
    root,
    network: service.ownNetwork ? 'own' : 'host',
    uncertain: [],
    depth: 0,
    byShell: false,
  };
  for (const path of service.read) world.read.add(path);
  for (const command of service.commands) {
    const outcome = follow({ ...launch, ...located(command, service, world) }, world);
    // A Filebeat in the foreground does not end, and the commands after it are not reached.
    if (!outcome.ends) break;
  }
  if (world.starts.length === 0 && world.unclear.length === 0) return { ...world, written: [] };
  for (const command of service.preparing) {
    const before: LaunchContext = { ...world, starts: [], unclear: [], failures: [], always: true };
    follow({ ...launch, ...located(command, service, before) }, before);
  }
  if (service.read.some((path) => isWritten(path, world.written))) {
    for (const start of world.starts) start.envHidden.any = true;
  }
  const own = [...world.written].map((path) => ({ path, why: `${unit} writes it when it starts` }));
  const others = world.starts.flatMap((start) => [...othersWrite(start, unit, writers), ...notYet(start, world.files)]);
  return { ...world, starts: world.starts, written: [...own, ...others] };
}

/** systemd searches its own directories for a program without a path, and passes the full path as argv[0]. */
function located(command: ServiceCommand, service: Service, world: LaunchContext): Pick<Launch, 'argv' | 'program'> {
  const { program, argv, renamed } = command;
  if (program.includes('/') || !isKnown(program)) return { program, argv };
  const found = findProgram(program, { cwd: '/', env: { PATH: service.searchPath } }, world);
  if (found.kind !== 'file') return { program, argv };
  return { program: found.path, argv: renamed ? argv : [found.path, ...argv.slice(1)] };
}

/** Paths at which the main files of a command line may be. */
function mainPaths({ argv, cwd }: Pick<FilebeatStart, 'argv' | 'cwd'>): string[] {
  const valuesOf = (flag: RegExp) =>
    argv.flatMap((word, at) => {
      const found = flag.exec(word);
      return found === null ? [] : [found[1] ?? argv[at + 1] ?? ''];
    });
  const folders = [...valuesOf(/^--?path\.config(?:=(.*))?$/), ...valuesOf(/^--?path\.home(?:=(.*))?$/), cwd];
  const named = valuesOf(/^--?c(?:=(.*))?$/);
  const files = named.length > 0 ? named : ['filebeat.yml'];
  return files.flatMap((file) =>
    file.startsWith('/') ? [posix.normalize(file)] : folders.map((folder) => posix.join(folder, file)),
  );
}

/** /run and /tmp are filled at boot: a file that is missing there now may exist when the service starts. */
function notYet(start: Pick<FilebeatStart, 'argv' | 'cwd'>, files: FileView): HiddenPath[] {
  return mainPaths(start).flatMap((path) => {
    if (!/^\/(?:run|tmp|var\/run|var\/tmp|dev\/shm)\//.test(path)) return [];
    const stat = files.stat(path);
    const isMissing = !stat.ok && stat.gap.reason === 'missing';
    return isMissing ? [{ path, why: 'its directory is emptied by a boot, and it does not exist now' }] : [];
  });
}

function othersWrite(
  start: Pick<FilebeatStart, 'argv' | 'cwd'>,
  unit: string,
  writers: readonly Writer[],
): HiddenPath[] {
  return mainPaths(start).flatMap((path) => {
    const writer = writers.find((one) => one.unit !== unit && one.writes(path));
    return writer === undefined ? [] : [{ path, why: `${writer.unit} writes it as the host boots` }];
  });
}
