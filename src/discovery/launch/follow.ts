/**
 * Follows a command line to the Filebeats that it starts: programs by `PATH`, scripts by their first line, launchers by a
 * table, shells by their scripts. A program that is none of these and names a Filebeat is reported as unclear.
 */
import { commonUtility } from '../shell/builtins/shell-utilities.js';
import { filebeat, noteFailure } from './filebeat-start.js';
import { harmlessPrograms } from './known-programs.js';
import {
  absolute,
  baseName,
  ended,
  type Launch,
  type LaunchContext,
  namesFilebeat,
  type Outcome,
  unclear,
} from './launch-context.js';
import { type Change, type Launcher, readOptions } from './launchers/launcher-options.js';
import { launchers } from './launchers/launcher-table.js';
import { noteRequestedUnits, otherProgram } from './other-programs.js';
import { bearsTheName, contentOf, findProgram, isFilebeatProgram } from './programs.js';
import { filesBelow } from './rooted-files.js';
import { dialectOf, runScript, shell, shellLine } from './shell-launch.js';

const deepest = 12;

/** Follows one program; what it starts is added to `world`. */
export function follow(launch: Launch, world: LaunchContext): Outcome {
  world.steps.left -= 1;
  if (world.steps.left < 0 || launch.depth > deepest || launch.argv.length === 0) return tooDeep(launch, world);
  const found = findProgram(launch.program, launch, world);
  const path = found.kind === 'file' ? found.path : launch.program;
  const args = launch.argv.slice(1);
  const real = found.kind === 'file' ? world.files.resolve(found.path) : undefined;
  const names = [launch.program, path, ...(real?.ok ? [real.value] : [])];
  const isFilebeat = names.some((name) => isFilebeatProgram(name, args[0], world.processNames));
  if (launch.depth === 0) noteFailure(found, launch, world);

  const content = found.kind === 'file' ? contentOf(found.path, world) : { kind: 'program' as const };
  if (content.kind === 'text' && !launch.byShell && namesFilebeat(content.text, world)) {
    return unclear(path, 'it is a script without #!, which the kernel does not execute (Exec format error)', world);
  }
  const base = baseName(path);
  // Some launchers of the distribution are scripts.
  const isOfSystem = /^\/(?:usr\/)?s?bin\/[^/]+$/.test(path) && Object.hasOwn(launchers, base);
  if (isOfSystem) return throughLauncher(launchers[base]!, launch, world);
  if (content.kind === 'script' || (content.kind === 'text' && launch.byShell)) {
    const begun = world.starts.length + world.unclear.length;
    const outcome = runScript(content, path, launch, world);
    // A stub in place of the program starts nothing itself.
    const isStub = isFilebeat && !namesFilebeat(content.text, world) && !content.text.includes('exec');
    if (!isStub || world.starts.length + world.unclear.length > begun) return outcome;
  }
  if (isFilebeat) return filebeat(path, launch, world);
  if (names.some(bearsTheName))
    return unclear(path, 'it is named like a Filebeat, and files do not tell whether it is one', world);
  if (base === 'elastic-agent' && args[0] === 'otel') {
    return unclear(path, 'an Elastic Agent as an OpenTelemetry collector may run the inputs of a Filebeat', world);
  }
  const dialect = dialectOf(launch.program, world);
  if (dialect !== undefined) return shell(dialect, launch, world);
  const launcher: Launcher | undefined = Object.hasOwn(launchers, base) ? launchers[base] : dynamicLinker(base);
  if (launcher !== undefined) return throughLauncher(launcher, launch, world);
  if (base === 'systemctl') noteRequestedUnits(args, world);
  if (harmlessPrograms.has(base)) return commonUtility(launch.argv, { cwd: launch.cwd, world }) ?? ended;
  return otherProgram(base, path, launch, world);
}

function throughLauncher(launcher: Launcher, launch: Launch, world: LaunchContext): Outcome {
  const args = launch.argv.slice(1);
  const { before = 0, change } = launcher;
  // A launcher with a form of its own reads its options itself.
  const isWhole = change !== undefined && launcher.values === undefined && launcher.before === undefined;
  const given = isWhole ? undefined : readOptions(args, launcher);
  const behind = given?.operands ?? [...args];
  const options = given ?? { all: () => [], option: () => undefined, has: () => false, operands: behind };
  const rest = behind.slice(before);
  const changed = change?.({ ...options, operands: rest, before: behind.slice(0, before) }, launch, world) ?? {};
  const background = launcher.background !== undefined && options.has(...launcher.background.split(' '));
  return onward({ ...changed, ...(background ? { background } : {}) }, rest, launch, world);
}

/** Follows the program behind a launcher. */
function onward(change: Change, rest: string[], launch: Launch, world: LaunchContext): Outcome {
  const argv = change.argv ?? rest;
  if (change.locked !== undefined && [...launch.argv].some((word) => namesFilebeat(word, world))) {
    return unclear(launch.program, `the shell of ${change.locked} runs no commands`, world);
  }
  if (change.nothing || (change.line === undefined && argv.length === 0)) return ended;
  const next: Launch = {
    ...launch,
    argv,
    program: argv[0] ?? '',
    ...change.launch,
    depth: launch.depth + 1,
    byShell: false,
    uncertain: change.why === undefined ? launch.uncertain : [...launch.uncertain, change.why],
  };
  if (next.root !== launch.root && next.root !== '/') {
    const inner = absolute(next.root, launch.cwd);
    next.root = launch.root === '/' ? inner : `${launch.root}${inner}`;
    world = { ...world, files: filesBelow(world.files, inner) };
  }
  const outcome = change.line === undefined ? follow(next, world) : shellLine(change.line, next, world);
  return change.background ? { ends: true, status: 0 } : outcome;
}

/** `ld-linux-x86-64.so.2 --library-path DIR PROGRAM`. */
function dynamicLinker(base: string) {
  return /^ld(?:-linux[\w-]*|-musl[\w-]*|64|)\.so(?:\.\d+)*$/.test(base)
    ? { values: 'library-path preload argv0 inhibit-rpath audit glibc-hwcaps-prepend glibc-hwcaps-mask' }
    : undefined;
}

function tooDeep(launch: Launch, world: LaunchContext): Outcome {
  const isSaid = launch.argv.some((word) => namesFilebeat(word, world));
  if (isSaid)
    world.unclear.push({
      subject: launch.program,
      why: 'it starts more programs one after the other than are followed',
    });
  return ended;
}
